/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which Region, which URL a secret's name and the environment lead to.
 */
#include "common/keys/aws_place.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define ARN(partition, region)                                                                     \
    "arn:" partition ":secretsmanager:" region ":123456789012:secret:ntsd/fleet-AbCdEf"

struct place_case {
    const char *id;
    struct aws_variables variables;
    const char *region; /* NULL: refused */
    const char *url;
};

Test(aws_place, region_and_endpoint)
{
    static const struct place_case cases[] = {
        {ARN("aws", "eu-west-1"),
         {0},
         "eu-west-1",
         "https://secretsmanager.eu-west-1.amazonaws.com"},
        {ARN("aws", "eu-west-1"),
         {.region = "us-east-2"},
         "eu-west-1",
         "https://secretsmanager.eu-west-1.amazonaws.com"},
        {ARN("aws-cn", "cn-north-1"),
         {0},
         "cn-north-1",
         "https://secretsmanager.cn-north-1.amazonaws.com.cn"},
        {ARN("aws-us-gov", "us-gov-west-1"),
         {0},
         "us-gov-west-1",
         "https://secretsmanager.us-gov-west-1.amazonaws.com"},
        {ARN("aws-iso", "us-iso-east-1"), {0}, NULL, NULL},
        {ARN("aws-iso", "us-iso-east-1"),
         {.service_endpoint = "https://vpce.example/"},
         "us-iso-east-1",
         "https://vpce.example"},
        {ARN("aws", ""), {0}, NULL, NULL},
        {ARN("aws", ""),
         {.region = "eu-west-1"},
         "eu-west-1",
         "https://secretsmanager.eu-west-1.amazonaws.com"},
        {"ntsd/fleet", {0}, NULL, NULL},
        {"ntsd/fleet",
         {.region = "eu-west-1"},
         "eu-west-1",
         "https://secretsmanager.eu-west-1.amazonaws.com"},
        {"ntsd/fleet",
         {.region = "cn-north-1"},
         "cn-north-1",
         "https://secretsmanager.cn-north-1.amazonaws.com.cn"},
        {"ntsd/fleet", {.region = "EU"}, NULL, NULL},
        {"ntsd/fleet", {.region = "eu-west-1/../x"}, NULL, NULL},
        {ARN("aws", "eu-west-1"),
         {.service_endpoint = "http://localhost:4566"},
         "eu-west-1",
         "http://localhost:4566"},
        {ARN("aws", "eu-west-1"), {.service_endpoint = "http://10.0.0.1"}, NULL, NULL},
        {ARN("aws", "eu-west-1"), {.metadata_endpoint = "ftp://x"}, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct place_case *c = &cases[i];
        struct aws_place place;
        struct provider_fault fault = {{0}};
        enum nts_err err = aws_place_init(&place, c->id, &c->variables, &fault);
        cr_assert_eq(err == NTS_OK, c->region != NULL, "case %zu: %s", i, fault.text);
        cr_expect_eq(err == NTS_OK, fault.text[0] == '\0', "case %zu", i);
        if (err == NTS_OK) {
            cr_expect_str_eq(place.region, c->region, "case %zu", i);
            cr_expect_str_eq(place.service_url, c->url, "case %zu", i);
            cr_expect_str_eq(place.metadata_url, "http://169.254.169.254");
            cr_expect(place.has_metadata);
        }
    }
}

Test(aws_place, names_of_secrets)
{
    static const struct {
        const char *id;
        bool good;
    } cases[] = {
        {ARN("aws", "eu-west-1"), true},
        {"name", true},
        {"a/b_c+d=e.f@g-h", true},
        {"", false},
        {"two words", false},
        {"quo\"te", false},
        {"arn:aws:secretsmanager:eu-west-1:123456789012:secret:", false},
        {"arn:aws:secretsmanager:eu-west-1:123456789012:secret", false},
        {"arn:aws:secretsmanager:eu-west-1:12345678901:secret:x", false},
        {"arn:aws:secretsmanager:eu-west-1:12345678901x:secret:x", false},
        {"arn:aws:ssm:eu-west-1:123456789012:secret:x", false},
        {"arn:aws:secretsmanager:eu-west-1:123456789012:parameter:x", false},
        {"arn:aws:secretsmanager:eu west:123456789012:secret:x", false},
        {"arn::secretsmanager:eu-west-1:123456789012:secret:x", false},
        {"arn:aws:secretsmanager:eu-west-1:123456789012:secret:x:y", false},
        {"arn:", false},
        {"arn", true}, /* is a name */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(aws_secret_id_is_good(cases[i].id), cases[i].good, "%s", cases[i].id);
    }
    char name[AWS_SECRET_ID_MAX + 2];
    memset(name, 'x', sizeof(name));
    name[519] = '\0';
    cr_expect(aws_secret_id_is_good(name));
    name[519] = 'x';
    name[520] = '\0';
    cr_expect_not(aws_secret_id_is_good(name));
}

Test(aws_place, safe_urls)
{
    static const struct {
        const char *url;
        bool safe;
    } cases[] = {
        {"https://secretsmanager.eu-west-1.amazonaws.com", true},
        {"https://vpce-0.example:8443/path", true},
        {"https://[2001:db8::1]:8443", true},
        {"http://localhost", true},
        {"http://localhost:2773", true},
        {"http://127.0.0.1:80/x", true},
        {"http://127.9.9.9", true},
        {"http://[::1]:2773", true},
        {"http://[::1]", true},
        {"http://[::2]", false},
        {"http://localhost.example", false},
        {"http://127.0.0.1.example", false},
        {"http://127.", false},
        {"http://10.0.0.1", false},
        {"http://", false},
        {"https://", false},
        {"https:///path", false},
        {"HTTPS://x", false},
        {"ftp://localhost", false},
        {"file:///etc/passwd", false},
        {"localhost", false},
        {"", false},
        {"https://user@host", false},
        {"https://host?x", false},
        {"https://host#x", false},
        {"https://ho st", false},
        {"https://ho\nst", false},
        {"https://ho\\st", false},
        {"https://h\xc3\xb6st", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(aws_url_is_safe(cases[i].url), cases[i].safe, "%s", cases[i].url);
    }
    char url[AWS_URL_MAX + 64] = "https://";
    memset(url + 8, 'x', sizeof(url) - 9);
    cr_expect_not(aws_url_is_safe(url), "too long");
}

Test(aws_place, metadata)
{
    static const struct {
        struct aws_variables variables;
        const char *url;
        bool has;
    } cases[] = {
        {{.metadata_endpoint = "http://[fd00:ec2::254]/"}, "http://[fd00:ec2::254]", true},
        {{.metadata_endpoint = "http://10.0.0.1:80"}, "http://10.0.0.1:80", true},
        {{.metadata_disabled = "true"}, "http://169.254.169.254", false},
        {{.metadata_disabled = "TRUE"}, "http://169.254.169.254", false},
        {{.metadata_disabled = "false"}, "http://169.254.169.254", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct aws_place place;
        struct provider_fault fault;
        cr_assert_eq(aws_place_init(&place, ARN("aws", "eu-west-1"), &cases[i].variables, &fault),
                     NTS_OK);
        cr_expect_str_eq(place.metadata_url, cases[i].url);
        cr_expect_eq(place.has_metadata, cases[i].has);
    }
}
