#pragma once
#include <curl/curl.h>

// Swift cannot call C variadics; nothing else belongs here.

typedef size_t (*weir_curl_data_callback)(char *, size_t, size_t, void *);
typedef int (*weir_curl_seek_callback)(void *, curl_off_t, int);
typedef int (*weir_curl_prereq_callback)(void *, char *, char *, int, int);
typedef int (*weir_curl_close_socket_callback)(void *, curl_socket_t);
typedef int (*weir_curl_socket_callback)(CURL *, curl_socket_t, int, void *, void *);
typedef int (*weir_curl_timer_callback)(CURLM *, long, void *);

static inline CURLcode weir_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode weir_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode weir_curl_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode weir_curl_set_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode weir_curl_set_data_callback(CURL *easy, CURLoption option, weir_curl_data_callback value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode weir_curl_set_seek_callback(CURL *easy, weir_curl_seek_callback value) {
    return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, value);
}
static inline CURLcode weir_curl_set_prereq_callback(CURL *easy, weir_curl_prereq_callback value) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}
static inline CURLcode weir_curl_set_close_socket_callback(CURL *easy, weir_curl_close_socket_callback value) {
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, value);
}
static inline CURLcode weir_curl_get_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode weir_curl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode weir_curl_get_socket(CURL *easy, CURLINFO info, curl_socket_t *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode weir_curl_get_pointer(CURL *easy, CURLINFO info, void **value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLMcode weir_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode weir_curl_multi_set_pointer(CURLM *multi, CURLMoption option, void *value) {
    return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode weir_curl_multi_set_socket_callback(CURLM *multi, weir_curl_socket_callback value) {
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, value);
}
static inline CURLMcode weir_curl_multi_set_timer_callback(CURLM *multi, weir_curl_timer_callback value) {
    return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, value);
}
static inline CURLSHcode weir_curl_share_lock(CURLSH *share, curl_lock_data data) {
    return curl_share_setopt(share, CURLSHOPT_SHARE, data);
}
/// The result of a finished transfer: in CURLMsg it hides in a union.
static inline CURLcode weir_curl_message_result(const CURLMsg *message) {
    return message->data.result;
}
