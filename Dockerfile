# Two stages: the Swift toolchain builds, plain Debian runs. The program contains the Swift library.
FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends binutils libcurl4-openssl-dev libpq-dev libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
COPY Sources ./Sources
COPY Tests ./Tests
RUN swift build -c release --product lux-server \
    && strip -o /lux-server "$(swift build -c release --show-bin-path)/lux-server"

FROM debian:bookworm-slim
# The number of the user is fixed, so that files of secrets can be given to it.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libcurl4 libpq5 libssl3 libstdc++6 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --no-log-init --shell /usr/sbin/nologin lux
COPY --from=build /lux-server /usr/local/bin/lux-server
COPY Migrations /usr/local/share/lux/Migrations
ENV LUX_MIGRATIONS=/usr/local/share/lux/Migrations
USER lux
EXPOSE 8080
# The process serves. /readyz shows whether the database responds: restarting the container would not help.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD curl -fsSk "http${LUX_TLS_CERT:+s}://127.0.0.1:${LUX_PORT:-8080}/healthz" || exit 1
ENTRYPOINT ["lux-server"]
CMD ["serve"]
