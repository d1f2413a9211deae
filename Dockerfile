# Two stages: the Swift toolchain builds, plain Debian runs. The Swift runtime is linked into the program.
FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libcurl4-openssl-dev libpq-dev libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
COPY Sources ./Sources
COPY Tests ./Tests
RUN swift build -c release --product lux-server --static-swift-stdlib \
    && cp "$(swift build -c release --show-bin-path)/lux-server" /lux-server

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libcurl4 libpq5 libssl3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --shell /usr/sbin/nologin lux
COPY --from=build /lux-server /usr/local/bin/lux-server
COPY Migrations /usr/local/share/lux/Migrations
ENV LUX_MIGRATIONS=/usr/local/share/lux/Migrations
USER lux
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD curl -fsS http://127.0.0.1:8080/healthz || exit 1
ENTRYPOINT ["lux-server"]
CMD ["serve"]
