/* Replays a corpus through a fuzz target in builds without libFuzzer: every file named on the
 * command line, and every file in a directory named there, is given to the target once. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    uint8_t *data = NULL;
    size_t size = 0;
    size_t got;
    do {
        uint8_t *more = realloc(data, size + 65536);
        if (!more) {
            free(data);
            fclose(f);
            return -1;
        }
        data = more;
        got = fread(data + size, 1, 65536, f);
        size += got;
    } while (got == 65536);
    fclose(f);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

static int replay_dir(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) {
        perror(path);
        return -1;
    }
    int count = 0;
    for (struct dirent *e = readdir(dir); e && count >= 0; e = readdir(dir)) {
        char file[4096];
        if (e->d_name[0] == '.') {
            continue;
        }
        int n = snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        count = n < (int)sizeof file && replay_file(file) == 0 ? count + 1 : -1;
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        int is_dir = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
        int n = is_dir ? replay_dir(argv[i]) : replay_file(argv[i]) == 0 ? 1 : -1;
        if (n < 0) {
            return 1;
        }
        total += n;
    }
    printf("%d inputs replayed\n", total);
    return total == 0; /* an empty corpus proves nothing */
}
