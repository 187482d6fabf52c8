/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify has no clock that a test could turn: this one takes the two seconds it is about. All
 * scenes play at the same time, each in a directory of its own.
 */
#include "certs/watch.h"

#include "tests/unit/certs/scratch.h"

#include <sys/stat.h>

enum { RUN_MS = 2400, STEPS_MAX = 3, TICK_MS = 20 };

struct scene;

struct step {
    uint64_t at_ms;
    void (*act)(struct scene *scene);
};

struct script {
    const char *name;
    const char *path;                     /* that is watched */
    void (*prepare)(struct scene *scene); /* what is there before */
    struct step steps[STEPS_MAX];
    void (*busy)(struct scene *scene); /* every TICK_MS, or NULL */
    bool close_when_called;
    unsigned calls;         /* that are expected */
    uint64_t not_before_ms; /* the last of them */
};

struct scene {
    const struct script *script;
    struct scratch scratch;
    uv_timer_t clock;
    struct cert_watch watch;
    size_t next;
    uint64_t start_ms;
    unsigned calls;
    uint64_t called_ms; /* the last time, since the start */
};

static const char *at(struct scene *scene, const char *name)
{
    return scratch_path(&scene->scratch, name);
}

static void put(struct scene *scene, const char *name, const char *text, int flags)
{
    scratch_put(&scene->scratch, name, text, flags);
}

static void move(struct scene *scene, const char *from, const char *to)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s", at(scene, from));
    cr_assert_eq(rename(path, at(scene, to)), 0);
}

/* As `ln -sfn` with a rename: there is always one. */
static void link_to(struct scene *scene, const char *target, const char *name)
{
    cr_assert_eq(symlink(target, at(scene, "link.tmp")), 0);
    move(scene, "link.tmp", name);
}

static void make_dir(struct scene *scene, const char *name)
{
    cr_assert_eq(mkdir(at(scene, name), 0755), 0);
}

static void first_file(struct scene *scene)
{
    put(scene, "cert.pem", "first", O_TRUNC);
}

static void replace(struct scene *scene)
{
    put(scene, "new", "second", O_TRUNC);
    move(scene, "new", "cert.pem");
}

static void write_half(struct scene *scene)
{
    put(scene, "cert.pem", "half", O_TRUNC);
}

static void write_rest(struct scene *scene)
{
    put(scene, "cert.pem", " and half", O_APPEND);
}

static void write_log(struct scene *scene)
{
    put(scene, "log", "line\n", O_APPEND);
}

/* As Kubernetes mounts a secret: tls.crt -> ..data/tls.crt, ..data -> a directory per version. */
static void mount_1(struct scene *scene)
{
    make_dir(scene, "..1");
    put(scene, "..1/tls.crt", "first!", O_TRUNC);
    link_to(scene, "..1", "..data");
    link_to(scene, "..data/tls.crt", "tls.crt");
}

static void swap_to_2(struct scene *scene)
{
    make_dir(scene, "..2");
    put(scene, "..2/tls.crt", "second", O_TRUNC);
    link_to(scene, "..2", "..data");
}

static void swap_to_3(struct scene *scene)
{
    make_dir(scene, "..3");
    put(scene, "..3/tls.crt", "third!", O_TRUNC);
    link_to(scene, "..3", "..data");
}

/* As some deployments do: live/ is a symlink to the directory of the release. */
static void two_releases(struct scene *scene)
{
    make_dir(scene, "a");
    make_dir(scene, "b");
    put(scene, "a/cert.pem", "first", O_TRUNC);
    put(scene, "b/cert.pem", "other", O_TRUNC);
    link_to(scene, "a", "live");
}

static void swap_live(struct scene *scene)
{
    link_to(scene, "b", "live");
}

static void dir_with_file(struct scene *scene)
{
    make_dir(scene, "tls");
    put(scene, "tls/cert.pem", "first", O_TRUNC);
}

static void remove_dir(struct scene *scene)
{
    cr_assert_eq(unlink(at(scene, "tls/cert.pem")), 0);
    cr_assert_eq(rmdir(at(scene, "tls")), 0);
}

static void nothing(struct scene *scene)
{
    (void)scene;
}

static void loop_of_links(struct scene *scene)
{
    link_to(scene, "b", "a");
    link_to(scene, "a", "b");
}

/* clang-format off */
static const struct script scripts[] = {
    {.name = "replaced by rename", .path = "cert.pem", .prepare = first_file,
     .steps = {{300, replace}}, .calls = 1, .not_before_ms = 300},
    {.name = "written in two parts", .path = "cert.pem", .prepare = first_file,
     .steps = {{100, write_half}, {800, write_rest}}, .calls = 1, .not_before_ms = 800},
    {.name = "swapped symlinks", .path = "tls.crt", .prepare = mount_1,
     .steps = {{200, swap_to_2}, {500, swap_to_3}}, .calls = 1, .not_before_ms = 500},
    {.name = "swapped directory", .path = "live/cert.pem", .prepare = two_releases,
     .steps = {{200, swap_live}}, .calls = 1, .not_before_ms = 200},
    {.name = "directory made again", .path = "tls/cert.pem", .prepare = dir_with_file,
     .steps = {{100, remove_dir}, {700, dir_with_file}}, .calls = 1, .not_before_ms = 700},
    {.name = "file that appears", .path = "tls/cert.pem", .prepare = nothing,
     .steps = {{100, dir_with_file}}, .calls = 1, .not_before_ms = 100},
    {.name = "removed file", .path = "tls/cert.pem", .prepare = dir_with_file,
     .steps = {{100, remove_dir}}, .calls = 1, .not_before_ms = 100},
    {.name = "busy neighbour", .path = "cert.pem", .prepare = first_file,
     .busy = write_log, .calls = 0},
    {.name = "change beside a busy neighbour", .path = "cert.pem", .prepare = first_file,
     .busy = write_log, .steps = {{300, replace}}, .calls = 1, .not_before_ms = 300},
    {.name = "closed from the callback", .path = "cert.pem", .prepare = first_file,
     .steps = {{100, replace}}, .close_when_called = true, .calls = 1, .not_before_ms = 100},
    {.name = "loop of symlinks", .path = "a/cert.pem", .prepare = loop_of_links,
     .steps = {{100, replace}}, .calls = 0},
};
/* clang-format on */

enum { SCRIPTS = sizeof(scripts) / sizeof(scripts[0]) };

static uint64_t since_start(const struct scene *scene)
{
    return uv_now(scene->clock.loop) - scene->start_ms;
}

static void on_changed(void *ctx)
{
    struct scene *scene = ctx;
    scene->calls++;
    scene->called_ms = since_start(scene);
    if (scene->script->close_when_called) {
        cert_watch_close(&scene->watch);
    }
}

static void on_clock(uv_timer_t *timer)
{
    struct scene *scene = timer->data;
    const struct step *step = &scene->script->steps[scene->next];
    if (scene->next < STEPS_MAX && step->act != NULL && step->at_ms <= since_start(scene)) {
        step->act(scene);
        scene->next++;
    }
    if (scene->script->busy != NULL) {
        scene->script->busy(scene);
    }
    if (since_start(scene) >= RUN_MS) {
        cert_watch_close(&scene->watch);
        cert_watch_close(&scene->watch);
        uv_close((uv_handle_t *)timer, NULL);
    }
}

static void begin(struct scene *scene, uv_loop_t *loop)
{
    char path[PATH_MAX];
    const char *paths[] = {path};
    scratch_open(&scene->scratch);
    scene->script->prepare(scene);
    (void)snprintf(path, sizeof(path), "%s", at(scene, scene->script->path));
    cr_assert_eq(cert_watch_open(&scene->watch, loop, paths, 1, on_changed, scene), NTS_OK);
    cr_assert_eq(uv_timer_init(loop, &scene->clock), 0);
    scene->clock.data = scene;
    uv_update_time(loop);
    scene->start_ms = uv_now(loop);
    cr_assert_eq(uv_timer_start(&scene->clock, on_clock, TICK_MS, TICK_MS), 0);
}

Test(watch, one_call_a_second_after_the_last_change)
{
    static struct scene scenes[SCRIPTS];
    uv_loop_t loop;
    cr_assert_eq(uv_loop_init(&loop), 0);
    for (size_t i = 0; i < SCRIPTS; i++) {
        scenes[i].script = &scripts[i];
        begin(&scenes[i], &loop);
    }
    cr_assert_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    cr_assert_eq(uv_loop_close(&loop), 0);
    for (size_t i = 0; i < SCRIPTS; i++) {
        const struct script *script = &scripts[i];
        cr_expect_eq(scenes[i].calls, script->calls, "%s: %u calls", script->name, scenes[i].calls);
        cr_expect(script->calls == 0 ||
                      scenes[i].called_ms >= script->not_before_ms + CERT_WATCH_SETTLE_MS,
                  "%s: after %u ms", script->name, (unsigned)scenes[i].called_ms);
        scratch_close(&scenes[i].scratch);
    }
}

Test(watch, too_many_paths)
{
    const char *paths[CERT_WATCH_PATHS_MAX + 1];
    struct cert_watch watch;
    uv_loop_t loop;
    for (size_t i = 0; i <= CERT_WATCH_PATHS_MAX; i++) {
        paths[i] = "/x";
    }
    cr_assert_eq(uv_loop_init(&loop), 0);
    cr_assert_eq(cert_watch_open(&watch, &loop, paths, CERT_WATCH_PATHS_MAX + 1, on_changed, NULL),
                 NTS_ELIMIT);
    cert_watch_close(&watch);
    cr_assert_eq(uv_loop_close(&loop), 0);
}
