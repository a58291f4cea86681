#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "source/repo_impl.h"
#include "tests/unit/repository.h"

static bool fetch(const char *clone, const char *from, const char *ref,
                  char commit[REPO_COMMIT_HEX_SIZE], struct err *err)
{
    CLEANUP(freep) char *target = in_folder(clone);
    CLEANUP(freep) char *url = xasprintf("file://%s/%s", test_folder, from);

    return repo_fetch(target, url, ref, commit, err);
}

/* What git says `rev` of the repository is. */
static void git_says(const char *name, const char *rev, char commit[REPO_COMMIT_HEX_SIZE])
{
    CLEANUP(freep)
    char *command = xasprintf("git -C %s/%s rev-parse --verify %s", test_folder, name, rev);
    FILE *out = popen(command, "r"); /* NOLINT(cert-env33-c) */

    assert_non_null(out);
    assert_non_null(fgets(commit, REPO_COMMIT_HEX_SIZE, out));
    assert_int_equal(pclose(out), 0);
}

static void check_fetch(const char *row, const char *clone, const char *from, const char *ref,
                        const char *rev)
{
    char got[REPO_COMMIT_HEX_SIZE];
    char want[REPO_COMMIT_HEX_SIZE];
    struct err err = {0};

    git_says(from, rev, want);
    if (!fetch(clone, from, ref, got, &err))
        fail_msg("%s: %s", row, err.message);
    if (strcmp(got, want) != 0)
        fail_msg("%s: got %s, want %s", row, got, want);
}

static void check_fetch_fails(const char *row, const char *clone, const char *from, const char *ref,
                              const char *want)
{
    char commit[REPO_COMMIT_HEX_SIZE] = "untouched";
    struct err err = {0};

    if (fetch(clone, from, ref, commit, &err))
        fail_msg("%s: fetched", row);
    check_message(row, &err, want);
    assert_string_equal(commit, "untouched");
}

static void test_repo_fetch_refuses_other_urls(void **state)
{
    static const struct {
        const char *url;
        const char *want;
    } rows[] = {
        {"ssh://git@example.com/a.git", "ssh is not supported yet"},
        {"git@example.com:a.git", "ssh is not supported yet"},
        {"http://example.com/a.git", "http is not supported"},
        {"git://example.com/a.git", "git is not supported"},
        {"ftp://example.com/a.git", "ftp is not supported"},
        {"ext::sh -c true", "has a space"},
        {"/srv/a.git", "is not a URL"},
        {"", "is not a URL"},
        {"file:/srv/a.git", "file:///FOLDER"},
        {"file://host/srv/a.git", "file:///FOLDER"},
        {"file:///srv/%zz", "two hex digits"},
        {"file:///srv/%00", "NUL"},
        {"https://user:secret@example.com/a.git", "is not taken"},
        {"https://user@example.com", "is not taken"},
    };
    CLEANUP(freep) char *clone = in_folder("url.git");
    char commit[REPO_COMMIT_HEX_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err err = {0};

        assert_false(repo_fetch(clone, rows[i].url, "refs/heads/main", commit, &err));
        check_message(rows[i].url, &err, rows[i].want);
        assert_null(strstr(err.message, "secret"));
    }
}

static void test_repo_fetch_refuses_short_refs(void **state)
{
    static const char *const refs[] = {"main", "HEAD", "", "heads/main", "+refs/heads/main"};
    static const char *const invalid[] = {"refs/heads/*", "refs/heads/a..b", "refs/heads/a.lock",
                                          "refs/heads/", "refs/heads/a:b"};
    static const struct {
        const char *name;
        const char *script;
        const char *ref;
        const char *want;
    } rows[] = {
        {"no such ref", "", "refs/heads/none", "has no ref \"refs/heads/none\""},
        {"a tree", "git tag tree HEAD^{tree}", "refs/tags/tree", "names a tree, not a commit"},
        {"a loop of links", "git symbolic-ref refs/heads/loop refs/heads/loop", "refs/heads/loop",
         "has no ref"},
    };

    (void)state;
    sh("git init -qb main refs; git -C refs commit -qm one --allow-empty");
    for (size_t i = 0; i < COUNT(refs); i++)
        check_fetch_fails(refs[i], "refs.git", "refs", refs[i], "is not a full name");
    for (size_t i = 0; i < COUNT(invalid); i++)
        check_fetch_fails(invalid[i], "refs.git", "refs", invalid[i], "is not a name that Git");
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(freep) char *script = xasprintf("cd refs; %s", rows[i].script);

        sh(script);
        check_fetch_fails(rows[i].name, "refs.git", "refs", rows[i].ref, rows[i].want);
    }
    check_fetch_fails("no repository", "refs.git", "none", "refs/heads/main", "No such file");
    sh("git init -q --object-format=sha256 refs256");
    check_fetch_fails("sha256", "refs.git", "refs256", "refs/heads/main", "SHA-256");
}

static void test_repo_fetch_follows_the_ref(void **state)
{
    static const struct {
        const char *name;
        const char *script;
        const char *ref;
    } rows[] = {
        {"first", "echo 1 >a.yaml; git add .; git commit -qm one", "refs/heads/main"},
        {"nothing new", "", "refs/heads/main"},
        {"a new commit", "echo 2 >b.yaml; git add .; git commit -qm two", "refs/heads/main"},
        {"a merge",
         "git checkout -q -b side HEAD~1; git commit -qm s --allow-empty;"
         "git checkout -q main; git merge -q --no-ff -m m side",
         "refs/heads/main"},
        {"forced push",
         "git commit -q --amend -m other; git reset -q --hard HEAD~1;"
         "echo 3 >a.yaml; git commit -qam three",
         "refs/heads/main"},
        {"back", "git reset -q --hard HEAD~1", "refs/heads/main"},
        {"unrelated", "git checkout -q --orphan new; git commit -qm new; git branch -qM new main",
         "refs/heads/main"},
        {"packed refs", "git gc -q; git pack-refs --all", "refs/heads/main"},
        {"annotated tag", "git tag -am one v1; git -c advice.nestedTag=false tag -am two v2 v1",
         "refs/tags/v2"},
        {"light tag", "git tag light", "refs/tags/light"},
        {"a ref that looks like a folder of ours", "git branch x_git2_y/z",
         "refs/heads/x_git2_y/z"},
        {"the folder of that", "git branch -D -q x_git2_y/z; git branch x_git2_y",
         "refs/heads/x_git2_y"},
        {"percent", "git branch 'a%2Fb'; git branch a/b", "refs/heads/a%2Fb"},
        {"slash", "git commit -qm five --allow-empty; git branch -f a/b", "refs/heads/a/b"},
        {"symbolic", "git symbolic-ref refs/heads/link refs/heads/main", "refs/heads/link"},
    };

    (void)state;
    sh("git init -qb main 'a b'; git -C 'a b' config gc.auto 0; ln -s 'a b' follow");
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(freep) char *script = xasprintf("cd 'a b'; %s", rows[i].script);
        CLEANUP(freep) char *rev = xasprintf("'%s^{commit}'", rows[i].ref);

        sh(script);
        check_fetch(rows[i].name, "clones/follow.git", "follow", rows[i].ref, rev);
        sh("git -C clones/follow.git fsck --strict --no-dangling >fsck 2>&1");
    }
}

static void test_repo_fetch_keeps_what_it_has_when_a_ref_goes(void **state)
{
    (void)state;
    sh("git init -qb main gone; cd gone; git commit -qm one --allow-empty; git branch side");
    check_fetch("first", "gone.git", "gone", "refs/heads/side", "side");
    sh("cd gone; git branch -qD side");
    check_fetch_fails("deleted", "gone.git", "gone", "refs/heads/side", "has no ref");
    sh("git -C gone.git cat-file -e refs/meshwrit/refs%2Fheads%2Fside");
}

static void test_repo_fetch_copies_only_what_the_ref_needs(void **state)
{
    (void)state;
    sh("git init -qb main only; cd only; echo 1 >a.yaml; git add .; git commit -qm one;"
       "git checkout -qb side; echo side >b.yaml; git add .; git commit -qm side;"
       "echo two >a.yaml; git checkout -q main; git commit -qam two");
    check_fetch("main", "only.git", "only", "refs/heads/main", "main");
    sh("git -C only cat-file -e side:b.yaml; ! git -C only.git cat-file -e $(git -C only rev-parse "
       "side:b.yaml)");
    check_fetch("side", "only.git", "only", "refs/heads/side", "side");
    sh("git -C only.git cat-file -e $(git -C only rev-parse side:b.yaml)");
}

static void test_repo_fetch_leaves_other_folders_alone(void **state)
{
    static const struct {
        const char *name;
        const char *script;
        const char *want;
    } rows[] = {
        {"something else in it", "mkdir t1; touch t1/letter", "is not empty and not a Git"},
        {"a working tree", "git init -q t2", "a repository with a working tree"},
        {"a file", "touch t3", "t3"},
        {"another extension",
         "git init -q --bare t4; git -C t4 config core.repositoryformatversion "
         "1; git -C t4 config extensions.nightly 1",
         "nightly"},
    };

    (void)state;
    sh("git init -qb main target; git -C target commit -qm one --allow-empty");
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(freep) char *clone = xasprintf("t%zu", i + 1);

        sh(rows[i].script);
        check_fetch_fails(rows[i].name, clone, "target", "refs/heads/main", rows[i].want);
    }
    sh("test $(ls t1 | grep -v fetch.guard) = letter");
}

static void test_repo_fetch_is_one_at_a_time(void **state)
{
    (void)state;
    sh("git init -qb main one; git -C one commit -qm one --allow-empty");
    check_fetch("first", "one.git", "one", "refs/heads/main", "main");

    CLEANUP(freep) char *path = in_folder("one.git/fetch.guard");
    const int fd = open(path, O_RDWR | O_CLOEXEC);

    assert_int_equal(flock(fd, LOCK_EX), 0);
    check_fetch_fails("held", "one.git", "one", "refs/heads/main", "another fetch is running");
    assert_int_equal(close(fd), 0);
    check_fetch("let go", "one.git", "one", "refs/heads/main", "main");
}

static void test_repo_fetch_clears_what_a_killed_one_left(void **state)
{
    (void)state;
    sh("git init -qb main left; git -C left commit -qm one --allow-empty");
    check_fetch("first", "left.git", "left", "refs/heads/main", "main");
    sh("git -C left commit -qm two --allow-empty; cd left.git; mkdir objects/ab;"
       "touch HEAD.lock config.lock packed-refs.lock refs/meshwrit/refs%2Fheads%2Fmain.lock"
       " objects/pack/pack_git2_abcdef objects/ab/tmp_object_git2_abcdef objects/pack/old.idx");
    check_fetch("again", "left.git", "left", "refs/heads/main", "main");
    sh("cd left.git; test -z \"$(find . -name '*.lock' -o -name '*_git2_*')\"");
}

/* A fetch in a process of its own, killed after so many microseconds. */
static void fetch_and_kill(const char *clone, useconds_t after)
{
    const pid_t child = fork();
    char commit[REPO_COMMIT_HEX_SIZE];
    struct err err;

    assert_true(child >= 0);
    if (child == 0)
        _exit(fetch(clone, "killed", "refs/heads/main", commit, &err) ? 0 : 1);
    (void)usleep(after);
    (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_repo_fetch_survives_being_killed(void **state)
{
    (void)state;
    sh("git init -qb main killed; cd killed; for i in $(seq 300); do echo $i >$i.yaml; done;"
       "git add .; git commit -qm one");
    for (unsigned i = 0; i < 60; i++) {
        CLEANUP(freep) char *clone = xasprintf("killed-%u.git", i % 20);

        fetch_and_kill(clone, i * 400);
        if (i < 40)
            continue;
        sh("cd killed; date +%N >1.yaml; git commit -qam more");
        check_fetch(clone, clone, "killed", "refs/heads/main", "main");
    }
    sh("for c in killed-*.git; do git -C $c fsck --strict --no-dangling >fsck 2>&1; done");
}

static void test_repo_fetch_is_bounded(void **state)
{
    static const struct {
        struct repo_fetch_limits limits;
        const char *want;
    } rows[] = {
        {{1, 100000, 300}, NULL},
        {{100000, 100000, 100}, "is more than 100 objects"},
        {{100000, 2000, 300}, "is more than 2000 bytes"},
    };

    (void)state;
    sh("git init -qb main bound; cd bound; for i in $(seq 200); do echo $i >$i.yaml; done;"
       "git add .; git commit -qm one");
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(freep) char *clone = xasprintf("%s/bound-%zu.git", test_folder, i);
        CLEANUP(freep) char *url = xasprintf("file://%s/bound", test_folder);
        char commit[REPO_COMMIT_HEX_SIZE];
        struct err err = {0};

        if (repo_fetch_within(clone, url, "refs/heads/main", &rows[i].limits, commit, &err) !=
            (rows[i].want == NULL))
            fail_msg("row %zu: %s", i, err.message);
        if (rows[i].want != NULL)
            check_message("bound", &err, rows[i].want);
    }
    sh("test -z \"$(ls bound-[12].git/objects/pack/* 2>/dev/null)\"");
}

static void test_repo_fetch_keeps_the_packs_few(void **state)
{
    (void)state;
    sh("git init -qb main packs; cd packs; git config gc.auto 0");
    for (int i = 0; i < REPO_MAX_SMALL_PACKS + 6; i++) {
        sh("cd packs; date +%N >a.yaml; git add .; git commit -qm more");
        check_fetch("more", "packs.git", "packs", "refs/heads/main", "main");
    }
    sh("cd packs.git; test $(ls objects/pack/*.pack | wc -l) -le 10;"
       "test $(ls objects/pack/*.idx | wc -l) -le 10; git fsck --strict --no-dangling >../fsck "
       "2>&1;"
       "test $(git rev-list --count refs/meshwrit/refs%2Fheads%2Fmain) -eq 70");
}

static void test_repo_descends(void **state)
{
    static const struct {
        const char *commit;
        const char *ancestor;
        bool want;
    } rows[] = {
        {"main", "main", true},       {"main", "main~1", true},      {"main~1", "main", false},
        {"main", "side", false},      {"side", "main", false},       {"merged", "side", true},
        {"merged", "main", true},     {"main", "orphan", false},     {"skewed", "main~2", true},
        {"skewed", "skewed~1", true}, {"skewed~1", "skewed", false},
    };
    const char *const unknown = "0123456789012345678901234567890123456789";
    struct err err = {0};
    bool yes = false;

    (void)state;
    sh("git init -qb main descend; cd descend; for i in 1 2 3 4; do git commit -qm $i "
       "--allow-empty;"
       " done; git checkout -qb side HEAD~2; git commit -qm side --allow-empty; git checkout -qb "
       "merged; git merge -q -m m main; git checkout -q --orphan orphan; git commit -qm o "
       "--allow-empty; git checkout -qb skewed main; for d in 1000000000 1800000000 100000000; do"
       " GIT_COMMITTER_DATE=\"$d +0\" git commit -qm $d --allow-empty; done;"
       "git clone -q --depth 2 file://$PWD ../shallow");
    struct repo *repo = open_repo("descend");

    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(freep) char *commit = xstrdup(resolve(repo, rows[i].commit));

        assert_true(repo_descends(repo, commit, resolve(repo, rows[i].ancestor), &yes, &err));
        if (yes != rows[i].want)
            fail_msg("%s from %s: want %d", rows[i].commit, rows[i].ancestor, rows[i].want);
    }
    CLEANUP(freep) char *old = xstrdup(resolve(repo, "main~3"));

    assert_true(repo_descends(repo, resolve(repo, "main"), unknown, &yes, &err));
    assert_false(yes);
    assert_false(repo_descends(repo, unknown, resolve(repo, "main"), &yes, &err));
    check_message("unknown", &err, "commit 012345678901: cannot read object");
    repo_close(repo);
    repo = open_repo("shallow");
    assert_false(repo_descends(repo, resolve(repo, "HEAD"), old, &yes, &err));
    check_message("shallow", &err, "the repository is shallow");
    repo_close(repo);
    check_fetch_fails("from a shallow one", "shallow.git", "shallow", "refs/heads/skewed",
                      "the repository is shallow");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repo_fetch_refuses_other_urls),
        cmocka_unit_test(test_repo_fetch_refuses_short_refs),
        cmocka_unit_test(test_repo_fetch_follows_the_ref),
        cmocka_unit_test(test_repo_fetch_keeps_what_it_has_when_a_ref_goes),
        cmocka_unit_test(test_repo_fetch_copies_only_what_the_ref_needs),
        cmocka_unit_test(test_repo_fetch_leaves_other_folders_alone),
        cmocka_unit_test(test_repo_fetch_is_one_at_a_time),
        cmocka_unit_test(test_repo_fetch_clears_what_a_killed_one_left),
        cmocka_unit_test(test_repo_fetch_survives_being_killed),
        cmocka_unit_test(test_repo_fetch_is_bounded),
        cmocka_unit_test(test_repo_fetch_keeps_the_packs_few),
        cmocka_unit_test(test_repo_descends),
    };

    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
