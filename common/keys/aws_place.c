/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of secrets and the URLs they lead to. See aws_place.h.
 */
#include "common/keys/aws_place.h"

#include "common/keys/provider_refuse.h"

#include <stdio.h>

#define METADATA_URL "http://169.254.169.254"

enum { NAME_MAX_LEN = 512 + 7, ACCOUNT_LEN = 12 };

/* For what the operator wrote: the outcome is of no use, the sentence is. */
#define REFUSE(fault, ...)                                                                         \
    ((void)provider_refuse(fault, PROVIDER_INTERNAL, __VA_ARGS__), NTS_EFORMAT)

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

/* ---- URLs */

/* The host of what follows "http://": up to a port, a path or the end. */
static struct span host_of(const char *rest)
{
    size_t n = *rest == '[' ? strcspn(rest, "]/") + 1 : strcspn(rest, ":/");
    return span_of(rest, n);
}

/* The rest of a numeric IPv4 address: a name such as 127.example.com is none. */
static bool is_dotted(struct span host)
{
    for (size_t i = 0; i < host.n; i++) {
        if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9')) {
            return false;
        }
    }
    return true;
}

static bool is_loopback(struct span host)
{
    return span_is(host, "localhost", 9) || span_is(host, "[::1]", 5) ||
           (host.n > 4 && memcmp(host.p, "127.", 4) == 0 && is_dotted(host));
}

/* What stands behind the scheme, or NULL. */
static const char *after_scheme(const char *url, const char *scheme)
{
    size_t n = strlen(scheme);
    return strncmp(url, scheme, n) == 0 ? url + n : NULL;
}

static bool is_url_rest(const char *rest)
{
    return rest != NULL && (is_alnum(*rest) || *rest == '[') &&
           strlen(rest) < AWS_URL_MAX - sizeof("https://") && is_printable(rest) &&
           strpbrk(rest, "@?#\\\"'<>{}|^`") == NULL;
}

bool aws_url_is_safe(const char *url)
{
    const char *plain = after_scheme(url, "http://");
    if (plain != NULL) {
        return is_url_rest(plain) && is_loopback(host_of(plain));
    }
    return is_url_rest(after_scheme(url, "https://"));
}

/* Without the slashes at its end. */
static void copy_url(char out[static AWS_URL_MAX], const char *url)
{
    size_t n = strlen(url);
    while (n > 0 && url[n - 1] == '/') {
        n--;
    }
    (void)snprintf(out, AWS_URL_MAX, "%.*s", (int)(n < AWS_URL_MAX ? n : AWS_URL_MAX - 1), url);
}

/* ---- names */

static bool is_name(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++) {
        if (!is_alnum(name[i]) && strchr("/_+=.@-", name[i]) == NULL) {
            return false;
        }
    }
    return n > 0 && n <= NAME_MAX_LEN;
}

/* The name of a Region or a partition. */
static bool is_word(struct span word)
{
    for (size_t i = 0; i < word.n; i++) {
        char c = (char)word.p[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-') {
            return false;
        }
    }
    return word.n > 0 && word.n <= AWS_REGION_MAX;
}

static bool is_account(struct span account)
{
    bool digits = account.n == ACCOUNT_LEN;
    for (size_t i = 0; digits && i < account.n; i++) {
        digits = account.p[i] >= '0' && account.p[i] <= '9';
    }
    return digits;
}

/* Up to the next colon, which is skipped; `*text` is NULL when there is none. */
static struct span take_part(const char **text)
{
    if (*text == NULL) {
        return span_of(NULL, 0);
    }
    const char *colon = strchr(*text, ':');
    struct span part = span_of(*text, colon == NULL ? strlen(*text) : (size_t)(colon - *text));
    *text = colon == NULL ? NULL : colon + 1;
    return part;
}

struct arn {
    struct span partition;
    struct span region;
};

static bool parse_arn(const char *text, struct arn *arn)
{
    const char *rest = text;
    bool good = span_is(take_part(&rest), "arn", 3);
    arn->partition = take_part(&rest);
    good = good && span_is(take_part(&rest), "secretsmanager", 14);
    arn->region = take_part(&rest);
    good = good && is_account(take_part(&rest)) && span_is(take_part(&rest), "secret", 6);
    return good && rest != NULL && is_name(rest) && is_word(arn->partition) &&
           (arn->region.n == 0 || is_word(arn->region));
}

/* An ARN, or a name, of which nothing is known. */
static bool parse_id(const char *text, struct arn *arn)
{
    *arn = (struct arn){0};
    return strlen(text) <= AWS_SECRET_ID_MAX &&
           (strncmp(text, "arn:", 4) == 0 ? parse_arn(text, arn) : is_name(text));
}

bool aws_secret_id_is_good(const char *secret_id)
{
    struct arn arn;
    return parse_id(secret_id, &arn);
}

/* The part of the names of all hosts of a partition; NULL for one that we do not know. */
static const char *domain_of(struct span partition, const char *region)
{
    if (partition.n == 0) { /* a name alone */
        return strncmp(region, "cn-", 3) == 0 ? "amazonaws.com.cn" : "amazonaws.com";
    }
    if (span_is(partition, "aws-cn", 6)) {
        return "amazonaws.com.cn";
    }
    bool known = span_is(partition, "aws", 3) || span_is(partition, "aws-us-gov", 10);
    return known ? "amazonaws.com" : NULL;
}

/* ---- the place */

static enum nts_err find_region(struct aws_place *place, const struct arn *arn,
                                const struct aws_variables *variables, struct provider_fault *fault)
{
    struct span region = arn->region;
    if (region.n == 0 && variables->region == NULL) {
        return REFUSE(fault, "the name of the secret has no Region: give its whole ARN, or set "
                             "AWS_REGION");
    }
    if (region.n == 0) {
        region = span_of(variables->region, strlen(variables->region));
    }
    if (!is_word(region)) {
        return REFUSE(fault, "AWS_REGION is not the name of a Region");
    }
    memcpy(place->region, region.p, region.n);
    place->region[region.n] = '\0';
    return NTS_OK;
}

static enum nts_err find_service(struct aws_place *place, const struct arn *arn,
                                 const struct aws_variables *variables,
                                 struct provider_fault *fault)
{
    const char *given = variables->service_endpoint;
    if (given != NULL) {
        if (!aws_url_is_safe(given)) {
            return REFUSE(fault, "AWS_ENDPOINT_URL_SECRETS_MANAGER or AWS_ENDPOINT_URL must be an "
                                 "https:// URL, or an http:// one of a loopback address");
        }
        copy_url(place->service_url, given);
        return NTS_OK;
    }
    const char *domain = domain_of(arn->partition, place->region);
    if (domain == NULL) {
        return REFUSE(fault,
                      "the endpoint of partition %.*s is not known: set "
                      "AWS_ENDPOINT_URL_SECRETS_MANAGER",
                      (int)arn->partition.n, (const char *)arn->partition.p);
    }
    (void)snprintf(place->service_url, sizeof(place->service_url), "https://secretsmanager.%s.%s",
                   place->region, domain);
    return NTS_OK;
}

static bool is_true(const char *text)
{
    return text != NULL && strcasecmp(text, "true") == 0;
}

/* Credentials come from there, secrets do not: it is in the clear and link-local by nature. */
static enum nts_err find_metadata(struct aws_place *place, const struct aws_variables *variables,
                                  struct provider_fault *fault)
{
    const char *url = variables->metadata_endpoint;
    url = url == NULL ? METADATA_URL : url;
    if (!is_url_rest(after_scheme(url, "http://")) && !is_url_rest(after_scheme(url, "https://"))) {
        return REFUSE(fault, "AWS_EC2_METADATA_SERVICE_ENDPOINT must be an http:// or https:// "
                             "URL");
    }
    copy_url(place->metadata_url, url);
    place->has_metadata = !is_true(variables->metadata_disabled);
    return NTS_OK;
}

NODISCARD enum nts_err aws_place_init(struct aws_place *place, const char *secret_id,
                                      const struct aws_variables *variables,
                                      struct provider_fault *fault)
{
    struct arn arn;
    *place = (struct aws_place){0};
    if (!parse_id(secret_id, &arn)) {
        return REFUSE(fault, "not the ARN of a secret: it has the form "
                             "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME");
    }
    TRY(find_region(place, &arn, variables, fault));
    TRY(find_service(place, &arn, variables, fault));
    return find_metadata(place, variables, fault);
}
