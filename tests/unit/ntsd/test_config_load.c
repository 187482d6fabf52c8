/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file: what is told, and how.
 */
#include "tests/unit/ntsd/scratch.h"

#include "ntsd/config_load.h"

static struct scratch s;
static char told[8192];

static void setup(void)
{
    scratch_make(&s);
}

static void teardown(void)
{
    scratch_remove(&s);
}

TestSuite(config_load, .init = setup, .fini = teardown);

static struct config *load(const char *path)
{
    FILE *errors = fmemopen(told, sizeof(told), "w");
    struct config *config = config_load(path, errors);
    (void)fclose(errors);
    return config;
}

/* "PATH" and then this text. */
static void expect_told(const char *path, const char *rest)
{
    char want[PATH_MAX + 256];
    (void)snprintf(want, sizeof(want), "%s%s", path, rest);
    cr_expect_str_eq(told, want);
}

Test(config_load, a_good_file)
{
    scratch_write(&s, "good", "ntsport 0\n", 0644);
    struct config *config = load(scratch_path(&s, "good"));
    cr_assert_not_null(config);
    cr_expect_eq(config->ke_port, 0);
    cr_expect_str_eq(told, "");
    config_free(config);
    config_free(NULL);
}

Test(config_load, where_systemd_puts_credentials)
{
    scratch_write(&s, "good", "ntsport 0\n", 0644);
    cr_assert_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    struct config *config = load(scratch_path(&s, "good"));
    cr_expect_null(config->credentials);
    config_free(config);
    cr_assert_eq(setenv("CREDENTIALS_DIRECTORY", "/run/credentials/ntsd.service", 1), 0);
    config = load(scratch_path(&s, "good"));
    cr_expect_str_eq(config->credentials, "/run/credentials/ntsd.service");
    config_free(config);
}

Test(config_load, faults_name_file_and_line)
{
    const char *path = scratch_path(&s, "bad");
    scratch_write(&s, "bad", "ntsport 0\nport 65536\n", 0644);
    cr_expect_null(load(path));
    expect_told(path, ":2: port: '65536' is not a whole number from 0 to 65535\n");
    scratch_write(&s, "bad", "ntsport 0\nallow 10/8\n", 0644);
    cr_expect_null(load(path));
    expect_told(path, ":2: allow: '10/8' is not ADDR or ADDR/BITS, such as 192.0.2.0/24\n");
}

Test(config_load, more_faults_than_are_told)
{
    static char text[22 * 4 + 1];
    for (int i = 0; i < 22; i++) {
        strcat(text, "xyz\n");
    }
    scratch_write(&s, "many", text, 0644);
    cr_expect_null(load(scratch_path(&s, "many")));
    cr_expect_not_null(strstr(told, "/many: 2 more\n"));
}

Test(config_load, files_that_are_none)
{
    const char *missing = scratch_path(&s, "missing");
    cr_expect_null(load(missing));
    expect_told(missing, ": does not exist, give the file with -c FILE\n");
    cr_expect_null(load(s.dir));
    expect_told(s.dir, ": not a regular file\n");
    const char *huge = scratch_path(&s, "huge");
    scratch_write(&s, "huge", "", 0644);
    cr_assert_eq(truncate(huge, CONFIG_FILE_MAX + 1), 0);
    cr_expect_null(load(huge));
    expect_told(huge, ": too long, at most 262144 octets\n");
}
