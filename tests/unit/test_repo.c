#include <sys/stat.h>

#include "source/glob.h"
#include "source/repo_impl.h"
#include "tests/unit/repository.h"

/* Paths in the order they come, one a line; a problem behind '!'. */
static bool note_file(void *context, const struct repo_file *file, struct err *err)
{
    struct buf *out = context;

    (void)err;
    buf_append_str(out, file->path);
    if (file->problem != NULL) {
        assert_int_equal(file->content.len, 0);
        buf_printf(out, " !%s", file->problem);
    }
    buf_byte(out, '\n');
    return true;
}

/* All files of `rev`, or the error, as text. */
static void walk_text(struct repo *repo, const char *rev, const char *const *paths, size_t count,
                      struct buf *out)
{
    struct err err = {0};

    if (repo_walk(repo, resolve(repo, rev), paths, count, note_file, out, &err))
        return;
    out->len = 0;
    buf_printf(out, "error: %s", err.message);
}

static void test_glob_matches(void **state)
{
    static const struct {
        const char *pattern;
        const char *path;
        bool want;
    } rows[] = {
        {"a/b.yaml", "a/b.yaml", true},
        {"a/b.yaml", "a/b_yaml", false},
        {"a", "a", true},
        {"a/", "a", true},
        {"./a", "a", true},
        {"a", "A", false},
        {"*", "a", true},
        {"*", "a/b", false},
        {"*.yaml", ".yaml", true},
        {"*.yaml", "a.yaml.yaml", true},
        {"*a*b*c", "xxaxxbxxcxxc", true},
        {"*a*b*c", "xxaxxcxxbxx", false},
        {"?.yaml", "a.yaml", true},
        {"?.yaml", "\xc3\xa4.yaml", true},
        {"?.yaml", "ab.yaml", false},
        {"?", "\xff", true},
        {"[a-c]", "b", true},
        {"[a-c]", "d", false},
        {"[!a-c]", "d", true},
        {"[^a-c]", "b", false},
        {"[]a]", "]", true},
        {"[a-]", "-", true},
        {"[\xc3\xa0-\xc3\xbf]", "\xc3\xa4", true},
        {"[\\]]", "]", true},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"\\[a]", "[a]", true},
        {"**", "a/b/c", true},
        {"**/c", "c", true},
        {"**/c", "a/b/c", true},
        {"a/**", "a", true},
        {"a/**/c", "a/c", true},
        {"a/**/c", "a/b/b/c", true},
        {"a/**/c", "b/c", false},
        {"a/**/b/**/c", "a/b/x/b/y/c", true},
        {"**/*.yaml", "a/b/c.yaml", true},
        {"*/prod/*.yaml", "eu/prod/a.yaml", true},
        {"*/prod/*.yaml", "eu/x/prod/a.yaml", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(freep) char *path = xstrdup(rows[i].path);
        struct glob *glob;
        struct err err;

        if (!glob_new(rows[i].pattern, &glob, &err))
            fail_msg("%s", err.message);

        glob_state at = glob_start(glob);
        char *rest = path;

        for (char *name = strsep(&rest, "/"); name != NULL; name = strsep(&rest, "/"))
            at = glob_step(glob, at, bytes_str(name));
        if (glob_accepts(glob, at) != rows[i].want)
            fail_msg("\"%s\" and \"%s\": want %d", rows[i].pattern, rows[i].path, rows[i].want);
        glob_free(glob);
    }
}

static void test_glob_refuses_what_cannot_match(void **state)
{
    static const struct {
        const char *pattern;
        const char *want;
    } rows[] = {
        {"", "is empty"},          {"/a", "begins with a slash"},
        {"a//b", "empty element"}, {"a/../b", "\"..\""},
        {"a/.", "\".\""},          {"[a", "without its \"]\""},
        {"[z-a]", "backwards"},    {"a**", "stands alone"},
        {"a\\", "backslash"},      {"a/[b/c]", "without its"},
    };
    struct glob *glob;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_false(glob_new(rows[i].pattern, &glob, &err));
        check_message(rows[i].pattern, &err, rows[i].want);
    }
    CLEANUP(buf_release) struct buf deep = {0};

    for (int i = 0; i <= GLOB_MAX_ELEMENTS; i++)
        buf_append_str(&deep, i == 0 ? "a" : "/a");
    assert_false(glob_new(buf_cstr(&deep), &glob, &err));
    check_message("deep", &err, "more than 63 elements");
}

static void test_repo_open_says_what_it_is_not(void **state)
{
    static const struct {
        const char *name;
        const char *want;
    } rows[] = {
        {"missing", "No such file"},        {"plain", "is not a Git repository"},
        {"plain/file", "is not a Git"},     {"ordinary/dir", "give its top folder"},
        {"sha256", "SHA-256 object names"}, {"extension", "uses the extension nightly"},
        {"partial", "partialclone"},
    };

    (void)state;
    sh("mkdir plain; touch plain/file; git init -q ordinary; mkdir ordinary/dir;"
       "git init -q --object-format=sha256 sha256;"
       "for x in nightly partialclone; do git init -q $x;"
       " git -C $x config core.repositoryformatversion 1; done;"
       "mv nightly extension; git -C extension config extensions.nightly true;"
       "mv partialclone partial; git -C partial config extensions.partialclone origin");
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(freep) char *path = in_folder(rows[i].name);
        struct repo *repo;
        struct err err = {0};

        if (repo_open(path, &repo, &err))
            fail_msg("%s was opened", rows[i].name);
        check_message(rows[i].name, &err, rows[i].want);
        check_message(rows[i].name, &err, path);
    }
}

static void test_repo_open_takes_every_shape_of_repository(void **state)
{
    static const char *const names[] = {"shape",          "shape/.git",   "shape.git",
                                        "shape.worktree", "shape.sparse", "shape.shallow"};

    (void)state;
    sh("git init -q shape; echo 'a: 1' >shape/a.yaml; git -C shape add .;"
       "git -C shape commit -qm one; git -C shape commit -qm two --allow-empty;"
       "git clone -q --bare shape shape.git; git -C shape worktree add -q ../shape.worktree;"
       "git clone -q shape shape.sparse; git -C shape.sparse sparse-checkout set --cone dir;"
       "git -C shape.sparse config extensions.preciousObjects true;"
       "git -C shape config include.path '~/nothing';"
       "git clone -q --depth 1 file://$PWD/shape shape.shallow");
    if (geteuid() == 0)
        sh("chown -R 12345:12345 shape shape.git");
    for (size_t i = 0; i < COUNT(names); i++) {
        CLEANUP(buf_release) struct buf got = {0};
        struct repo *repo = open_repo(names[i]);

        walk_text(repo, "HEAD", NULL, 0, &got);
        check_bytes(names[i], buf_bytes(&got), BYTES("a.yaml\n"));
        repo_close(repo);
    }
}

static void test_repo_resolve_peels_and_explains(void **state)
{
    static const struct {
        const char *rev;
        const char *want; /* NULL: as HEAD */
    } rows[] = {
        {"HEAD", NULL},
        {"main", NULL},
        {"refs/heads/main", NULL},
        {"v1", NULL},
        {"v1-again", NULL},
        {"light", NULL},
        {"nothing", "\"nothing\" names nothing in the repository"},
        {"0123456789012345678901234567890123456789", "names nothing"},
        {"tree", "\"tree\" names a tree, not a commit"},
        {"..", "names no"},
    };
    char commit[REPO_COMMIT_HEX_SIZE];
    char head[REPO_COMMIT_HEX_SIZE];
    struct err err = {0};

    (void)state;
    sh("git init -qb main rev; cd rev; git commit -qm one --allow-empty; git tag light;"
       "git tag -am one v1; git -c advice.nestedTag=false tag -am again v1-again v1; git tag tree "
       "HEAD^{tree};"
       "git init -qb none ../unborn");
    struct repo *repo = open_repo("rev");

    assert_true(repo_resolve(repo, "HEAD", head, &err));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const bool found = repo_resolve(repo, rows[i].rev, commit, &err);

        if (found != (rows[i].want == NULL))
            fail_msg("%s: found %d, %s", rows[i].rev, found, err.message);
        if (rows[i].want == NULL)
            assert_string_equal(commit, head);
        else
            check_message(rows[i].rev, &err, rows[i].want);
    }
    head[9] = '\0';
    assert_true(repo_resolve(repo, head, commit, &err));
    repo_close(repo);
    repo = open_repo("unborn");
    assert_false(repo_resolve(repo, "HEAD", commit, &err));
    check_message("unborn", &err, "has no commit yet");
    repo_close(repo);
}

static void test_repo_walk_selects(void **state)
{
    static const struct {
        const char *name;
        const char *paths[3];
        const char *want; /* NULL: everything */
    } rows[] = {
        {"file", {"b/x.yaml"}, "b/x.yaml\n"},
        {"folder", {"b"}, "b/x.yaml\nb/y/z.json\nb/y/z.yml\n"},
        {"folder with a slash", {"b/"}, "b/x.yaml\nb/y/z.json\nb/y/z.yml\n"},
        {"folder from here", {"./b/y"}, "b/y/z.json\nb/y/z.yml\n"},
        {"overlap comes once, in path order",
         {"b/y", "a.yaml", "b"},
         "a.yaml\nb/x.yaml\nb/y/z.json\nb/y/z.yml\n"},
        {"star", {"a*.yaml"}, "a-b.yaml\na.yaml\n"},
        {"star names folders too", {"*.yaml"}, "a-b.yaml\na.yaml\nd.yaml/1.json\n"},
        {"star and what is below", {"b/*"}, "b/x.yaml\nb/y/z.json\nb/y/z.yml\n"},
        {"any depth", {"**/z.*"}, "b/y/z.json\nb/y/z.yml\n"},
        {"question mark", {"b/?.yaml"}, "b/x.yaml\n"},
        {"set", {"[ac].yaml"}, "a.yaml\n"},
        {"hidden", {".*"}, ".h/a.yml\n"},
        {"whole tree", {"."}, NULL},
        {"no paths", {NULL}, NULL},
        {"nothing", {"b", "c"}, "error: path \"c\" matches no folder and no .yaml"},
        {"a file is no folder", {"a.yaml/1.yaml"}, "error: path \"a.yaml/1.yaml\" matches"},
        {"a file with a slash", {"b/x.yaml/", "b"}, "error: path \"b/x.yaml/\" matches"},
        {"another name", {"readme"}, "error: path \"readme\" matches"},
        {"another case", {"B"}, "error: path \"B\" matches"},
        {"bad pattern", {"/b"}, "error: path \"/b\" begins with a slash"},
    };
    static const char all[] = ".h/a.yml\na-b.yaml\na.yaml\na/1.yaml\nb/x.yaml\nb/y/z.json\n"
                              "b/y/z.yml\nd.yaml/1.json\n";

    (void)state;
    sh("git init -q walk; cd walk; mkdir -p a b/y .h d.yaml; touch a-b.yaml a.yaml a/1.yaml "
       ".h/a.yml"
       " d.yaml/1.json b/x.yaml b/y/z.yml b/y/z.json readme b/y/z.yaml.txt;"
       "git add .; git commit -qm one");
    struct repo *repo = open_repo("walk");

    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(buf_release) struct buf got = {0};
        size_t count = 0;
        const char *want = rows[i].want == NULL ? all : rows[i].want;

        while (count < COUNT(rows[i].paths) && rows[i].paths[count] != NULL)
            count++;
        walk_text(repo, "HEAD", rows[i].paths, count, &got);
        if (strncmp(want, "error", 5) == 0 && got.len > strlen(want))
            got.len = strlen(want);
        check_bytes(rows[i].name, buf_bytes(&got), bytes_str(want));
    }
    repo_close(repo);
}

static void test_repo_walk_reports_what_is_no_file(void **state)
{
    static const char *const paths[][1] = {{"in"}, {"in/to-folder"}, {"in/module/"}};
    static const char *const wants[] = {
        "in/a.yaml\n"
        "in/big.yaml !is 4194305 bytes, more than 4194304\n"
        "in/large.yaml !is a Git LFS pointer, not the file itself\n"
        "in/link.yaml !is a symbolic link\n"
        "in/max.yaml\n"
        "in/module !is a submodule\n"
        "in/nowhere !is a symbolic link\n"
        "in/outside !is a symbolic link\n"
        "in/to-folder !is a symbolic link\n"
        "in/to-link !is a symbolic link\n",
        "in/to-folder !is a symbolic link\n",
        "in/module !is a submodule\n",
    };

    (void)state;
    sh("git init -q odd; cd odd; mkdir -p in out/deep; echo 'a: 1' >in/a.yaml; cp in/a.yaml out;"
       "head -c 4194305 /dev/zero | tr '\\0' '#' >in/big.yaml; head -c 4194304 in/big.yaml"
       " >in/max.yaml; printf 'version https://git-lfs.github.com/spec/v1\\noid x\\n'"
       " >in/large.yaml; cp in/big.yaml in/big.txt; cd in; ln -s a.yaml link.yaml;"
       "ln -s ../out to-folder; ln -s /etc outside; ln -s none nowhere; ln -s ./../out//a.yaml txt;"
       "ln -s ../../x out2; ln -s to-folder to-link; rm out2; ln -s link.yaml ../out/l.txt; cd ..;"
       "git add .; git commit -qm one;"
       "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),in/module;"
       "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),out/module;"
       "git commit -qm two");
    struct repo *repo = open_repo("odd");

    for (size_t i = 0; i < COUNT(paths); i++) {
        CLEANUP(buf_release) struct buf got = {0};

        walk_text(repo, "HEAD", paths[i], 1, &got);
        check_bytes(paths[i][0], buf_bytes(&got), bytes_str(wants[i]));
    }
    repo_close(repo);
}

static void test_repo_walk_refuses_malformed_trees(void **state)
{
    /* Entries as `printf` writes them, $B a blob's and $T a tree's raw id. */
    static const struct {
        const char *name;
        const char *entries;
        const char *want;
    } rows[] = {
        {"sound", "'100644 a.yaml\\0'$B'40000 b\\0'$T", NULL},
        {"old group mode", "'100664 a.yaml\\0'$B", NULL},
        {"twice", "'100644 a.yaml\\0'$B'100644 a.yaml\\0'$B", "a.yaml: the tree is malformed"},
        {"file and folder", "'100644 a\\0'$B'100644 a-b\\0'$B'40000 a\\0'$T", "a: the tree is"},
        {"unsorted", "'100644 b.yaml\\0'$B'100644 a.yaml\\0'$B", "a.yaml: the tree is malformed"},
        {"folder out of order", "'40000 a\\0'$T'100644 a.yaml\\0'$B", "a.yaml: the tree is"},
        {"up", "'40000 ..\\0'$T", "..: the tree is malformed"},
        {"git folder", "'40000 .GIT\\0'$T", ".GIT: the tree is malformed"},
        {"slash", "'100644 a/b.yaml\\0'$B", "a/b.yaml: the tree is malformed"},
        {"link that is executable", "'120755 a.yaml\\0'$B", "!is a symbolic link"},
        {"unknown mode", "'60644 a.yaml\\0'$B", "a.yaml: has the unknown file mode 60644"},
        {"folder as file", "'100644 a.yaml\\0'$T", "a.yaml: is a tree in the repository"},
        {"file as folder", "'40000 a\\0'$B", "is a blob where a tree is expected"},
        {"missing", "'100644 a.yaml\\0\\x01'1234567890123456789", "a.yaml: cannot read it"},
    };

    (void)state;
    sh("git init -q bad");
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(buf_release) struct buf got = {0};
        CLEANUP(freep)
        char *script = xasprintf(
            "cd bad; raw() { echo $1 | sed 's/../\\\\x&/g'; };"
            "B=$(raw $(echo 1 | git hash-object -w --stdin)); T=$(raw $(git mktree </dev/null));"
            "/usr/bin/printf %s | git hash-object -t tree --literally -w --stdin >tree;"
            "git update-ref refs/heads/x $(git commit-tree -m x $(cat tree))",
            rows[i].entries);

        sh(script);
        struct repo *repo = open_repo("bad");

        walk_text(repo, "refs/heads/x", NULL, 0, &got);
        if (rows[i].want == NULL && strncmp(buf_cstr(&got), "error", 5) == 0)
            fail_msg("%s: %s", rows[i].name, buf_cstr(&got));
        if (rows[i].want != NULL && strstr(buf_cstr(&got), rows[i].want) == NULL)
            fail_msg("%s: %s", rows[i].name, buf_cstr(&got));
        repo_close(repo);
    }
}

static void test_repo_walk_is_bounded(void **state)
{
    CLEANUP(buf_release) struct buf got = {0};

    (void)state;
    sh("git init -q deep; cd deep; p=$(printf 'd/%.0s' $(seq 64)); mkdir -p $p; touch $p/a.yaml;"
       "git add .; git commit -qm one; git tag fits; mkdir $p/d; touch $p/d/a.yaml; git add .;"
       "git commit -qm two;"
       /* 10^20 files: each folder has the one below ten times */
       "t=$(printf '100644 blob %s\\tx\\n' $(echo 1 | git hash-object -w --stdin) | git mktree);"
       "for i in $(seq 20); do t=$(for j in $(seq 0 9); do printf '040000 tree %s\\t%s\\n' $t $j;"
       " done | git mktree); done; git update-ref refs/heads/bomb $(git commit-tree -m x $t)");
    struct repo *repo = open_repo("deep");

    walk_text(repo, "fits", NULL, 0, &got);
    assert_true(bytes_ends_with(buf_bytes(&got), BYTES("/d/a.yaml\n")));
    got.len = 0;
    walk_text(repo, "HEAD", NULL, 0, &got);
    assert_non_null(strstr(buf_cstr(&got), "is deeper than 64 folders"));
    got.len = 0;
    walk_text(repo, "bomb", NULL, 0, &got);
    assert_non_null(strstr(buf_cstr(&got), "more than 1000000 entries"));
    repo_close(repo);
}

static bool stop_here(void *context, const struct repo_file *file, struct err *err)
{
    unsigned *calls = context;

    (*calls)++;
    check_bytes("content", file->content, BYTES("a: 1\n"));
    return err_set(err, "stopped at %s", file->path);
}

static void test_repo_walk_hands_content_and_stops(void **state)
{
    unsigned calls = 0;
    struct err err = {0};

    (void)state;
    sh("git init -q stop; cd stop; git config core.autocrlf true; echo 'a: 1' | tee a.yaml b.yaml "
       ">/dev/null;"
       "git add . 2>/dev/null; git commit -qm one");
    struct repo *repo = open_repo("stop");

    assert_false(repo_walk(repo, resolve(repo, "HEAD"), NULL, 0, stop_here, &calls, &err));
    assert_int_equal(calls, 1);
    assert_string_equal(err.message, "stopped at a.yaml");
    assert_false(repo_walk(repo, "abc", NULL, 0, stop_here, &calls, &err));
    check_message("short id", &err, "is not the full id of a commit");
    assert_false(repo_walk(repo, "0123456789012345678901234567890123456789", NULL, 0, stop_here,
                           &calls, &err));
    check_message("unknown id", &err, "commit 012345678901: cannot read object");
    repo_close(repo);
}

static void test_repo_walk_sees_damage(void **state)
{
    CLEANUP(buf_release) struct buf got = {0};

    (void)state;
    /* The object of "b: 2" under the name of that of "a: 1": only its hash tells. */
    sh("git init -q damaged; cd damaged; echo 'a: 1' >a.yaml; git add .; git commit -qm one;"
       "f() { echo \"$1\" | git hash-object -w --stdin | sed 's,..,.git/objects/&/,'; };"
       "cp -f $(f 'b: 2') $(f 'a: 1')");
    struct repo *repo = open_repo("damaged");

    walk_text(repo, "HEAD", NULL, 0, &got);
    assert_non_null(strstr(buf_cstr(&got), "error: a.yaml: cannot read it"));
    repo_close(repo);
}

static void test_repo_read_file(void **state)
{
    static const struct {
        const char *path;
        const char *want; /* NULL: it is read */
    } rows[] = {
        {"d/a.txt", NULL},
        {"d/b.txt", "d/b.txt: is not in commit"},
        {"", "is not in commit"},
        {"/d/a.txt", "is not in commit"},
        {"d/../d/a.txt", "is not in commit"},
        {"d", "d: is not a regular file in commit"},
        {"link", "link: is not a regular file"},
        {"big", "big: object"},
    };

    (void)state;
    sh("git init -q read; cd read; mkdir d; printf text >d/a.txt; ln -s d/a.txt link;"
       "head -c 4194305 /dev/zero >big; git add .; git commit -qm one");
    struct repo *repo = open_repo("read");

    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(buf_release) struct buf got = {0};
        struct err err = {0};

        buf_append_str(&got, ">");
        if (repo_read_file(repo, resolve(repo, "HEAD"), rows[i].path, &got, &err) !=
            (rows[i].want == NULL))
            fail_msg("%s: %s", rows[i].path, err.message);
        if (rows[i].want != NULL)
            check_message(rows[i].path, &err, rows[i].want);
        check_bytes(rows[i].path, buf_bytes(&got), bytes_str(rows[i].want == NULL ? ">text" : ">"));
    }
    repo_close(repo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_glob_matches),
        cmocka_unit_test(test_glob_refuses_what_cannot_match),
        cmocka_unit_test(test_repo_open_says_what_it_is_not),
        cmocka_unit_test(test_repo_open_takes_every_shape_of_repository),
        cmocka_unit_test(test_repo_resolve_peels_and_explains),
        cmocka_unit_test(test_repo_walk_selects),
        cmocka_unit_test(test_repo_walk_reports_what_is_no_file),
        cmocka_unit_test(test_repo_walk_refuses_malformed_trees),
        cmocka_unit_test(test_repo_walk_is_bounded),
        cmocka_unit_test(test_repo_walk_hands_content_and_stops),
        cmocka_unit_test(test_repo_walk_sees_damage),
        cmocka_unit_test(test_repo_read_file),
    };

    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
