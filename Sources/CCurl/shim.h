#include <curl/curl.h>
#include <stdbool.h>

// curl_easy_setopt(3) and curl_easy_getinfo(3) take a variable number of arguments, which Swift does not call.

typedef size_t (*lux_curl_callback)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode lux_curl_set_string(CURL *curl, CURLoption option, const char *value) {
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode lux_curl_set_long(CURL *curl, CURLoption option, long value) {
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode lux_curl_set_pointer(CURL *curl, CURLoption option, void *value) {
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode lux_curl_set_callback(CURL *curl, CURLoption option, lux_curl_callback value) {
    return curl_easy_setopt(curl, option, value);
}

static inline long lux_curl_get_long(CURL *curl, CURLINFO info) {
    long value = 0;
    return curl_easy_getinfo(curl, info, &value) == CURLE_OK ? value : 0;
}

static inline bool lux_curl_has_string(CURL *curl, CURLINFO info) {
    char *value = NULL;
    return curl_easy_getinfo(curl, info, &value) == CURLE_OK && value != NULL;
}

static inline CURLcode lux_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }
