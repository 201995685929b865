/* Completion for bash and zsh: what may follow a word, as functions of the shell's language. Both are made of the same
 * tables: the commands, their options, and for each option the words, files or folders that it takes. */
#include "page.h"

#include "file.h"

#include <ctype.h>
#include <string.h>

/* "pki new" of "trueline pki new", and the same of a program of its own. */
static const char *short_name(const command_line *line)
{
    return strncmp(line->name, "trueline ", 9) == 0 ? line->name + 9 : line->name;
}

static const char *kind_name(value_kind kind)
{
    static const char *const names[] = { "text", "file", "folder" };

    return names[kind];
}

/* The words of a command of several, and those that an option takes, between them a space. */
static void put_words(FILE *to, const chapter *c)
{
    for (size_t i = 0; i < c->n; i++)
        (void)fprintf(to, "%s%s", i > 0 ? " " : "", strrchr(c->lines[i].name, ' ') + 1);
}

static void put_values(FILE *to, const struct argp_option *o)
{
    char room[LINE_NAME_SIZE];
    const char *word;

    for (size_t i = 0; (word = page_value(o, i, room)) != NULL; i++)
        (void)fprintf(to, "%s%s", i > 0 ? " " : "", word);
}

/* ---- bash ---- */

static void bash_options(FILE *to, const command_line *line)
{
    option_row rows[ROWS_MAX];
    size_t n = page_rows(line->argp, rows);

    (void)fprintf(to, "    '%s')\n        _options='", short_name(line));
    for (size_t i = 0; i < n; i++)
        if (rows[i].option != NULL && rows[i].option->name != NULL)
            (void)fprintf(to, "--%s%s ", rows[i].option->name, rows[i].option->arg != NULL ? "=" : "");
    (void)fprintf(to, "--help --usage --version'\n        _operands=%s ;;\n",
                  line->argp->args_doc != NULL ? kind_name(page_kind(line->argp->args_doc)) : "none");
}

static void bash_value(FILE *to, const command_line *line, const struct argp_option *o)
{
    if (isprint(o->key))
        (void)fprintf(to, "    '%s -%c' | '%s --%s')", short_name(line), o->key, short_name(line), o->name);
    else
        (void)fprintf(to, "    '%s --%s')", short_name(line), o->name);
    (void)fprintf(to, " _kind=%s _values='", kind_name(page_kind(o->arg)));
    put_values(to, o);
    (void)fputs("' ;;\n", to);
}

static void bash_values(FILE *to, const command_line *line)
{
    option_row rows[ROWS_MAX];
    size_t n = page_rows(line->argp, rows);

    for (size_t i = 0; i < n; i++)
        if (rows[i].option != NULL && rows[i].option->name != NULL && rows[i].option->arg != NULL)
            bash_value(to, line, rows[i].option);
}

static void bash_commands(FILE *to, const book *b)
{
    (void)fputs("_trueline_commands='", to);
    for (size_t i = 0; i < b->chapter_n; i++)
        if (!b->chapters[i].apart)
            (void)fprintf(to, "%s ", b->chapters[i].name);
    (void)fputs(
        "--help --version'\n\n# The words of a command of several.\n_trueline_words() {\n    case $1 in\n",
        to);
    for (size_t i = 0; i < b->chapter_n; i++) {
        const chapter *c = &b->chapters[i];

        if (c->usage == NULL)
            continue;
        (void)fprintf(to, "    %s) _words='", c->name);
        put_words(to, c);
        (void)fputs("' ;;\n", to);
    }
    (void)fputs("    *) _words='' ;;\n    esac\n}\n\n", to);
}

/* Bash cuts --option=value into three words, at the '='. */
static const char bash_engine[] =
    "_trueline_paths() { # KIND WORD\n"
    "    case $1 in\n"
    "    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$2\") ;;\n"
    "    folder) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$2\") ;;\n"
    "    esac\n"
    "}\n\n"
    "_trueline() {\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} line first=1\n"
    "    local _options='' _operands=none _words='' _kind=none _values=''\n"
    "    COMPREPLY=()\n"
    "    line=${COMP_WORDS[0]##*/}\n"
    "    if [ \"$line\" = trueline ]; then\n"
    "        if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "            mapfile -t COMPREPLY < <(compgen -W \"$_trueline_commands\" -- \"$current\")\n"
    "            return\n"
    "        fi\n"
    "        line=${COMP_WORDS[1]} first=2\n"
    "        _trueline_words \"$line\"\n"
    "        if [ -n \"$_words\" ] && [ \"$COMP_CWORD\" -eq 2 ]; then\n"
    "            mapfile -t COMPREPLY < <(compgen -W \"$_words --help\" -- \"$current\")\n"
    "            return\n"
    "        fi\n"
    "        [ -z \"$_words\" ] || line+=\" ${COMP_WORDS[2]}\" first=3\n"
    "    fi\n"
    "    [ \"$current\" != = ] || { before=${COMP_WORDS[COMP_CWORD - 1]}= current=''; }\n"
    "    if [ \"$before\" = = ] && [ \"$COMP_CWORD\" -gt \"$first\" ]; then before=${COMP_WORDS[COMP_CWORD - "
    "2]}; fi\n"
    "    _trueline_value \"$line ${before%=}\"\n"
    "    if [ -n \"$_values\" ]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$_values\" -- \"$current\")\n"
    "    elif [ \"$_kind\" != none ]; then\n"
    "        _trueline_paths \"$_kind\" \"$current\"\n"
    "    else\n"
    "        _trueline_options \"$line\"\n"
    "        case $current in\n"
    "        -*)\n"
    "            mapfile -t COMPREPLY < <(compgen -W \"$_options\" -- \"$current\")\n"
    "            case ${COMPREPLY[0]-} in *=) compopt -o nospace 2>/dev/null ;; esac ;;\n"
    "        *) _trueline_paths \"$_operands\" \"$current\" ;;\n"
    "        esac\n"
    "    fi\n"
    "}\n\n"
    "complete -F _trueline trueline trueline-input\n";

static void put_bash(FILE *to, const book *b)
{
    (void)fputs("# Completion of trueline for bash, made from the tables of its options.\n\n", to);
    bash_commands(to, b);
    (void)fputs("# Options and operands of a command line.\n_trueline_options() {\n    case $1 in\n", to);
    for (size_t i = 0; i < b->line_n; i++)
        bash_options(to, &b->lines[i]);
    (void)fputs("    esac\n}\n\n# What an option takes.\n_trueline_value() {\n    case $1 in\n", to);
    for (size_t i = 0; i < b->line_n; i++)
        bash_values(to, &b->lines[i]);
    (void)fputs("    esac\n}\n\n", to);
    (void)fputs(bash_engine, to);
}

/* ---- zsh ---- */

/* Text between single quotes inside of [ ] of _arguments. */
static void zsh_text(FILE *to, const char *p)
{
    for (; p != NULL && *p != '\0'; p++)
        switch (*p) {
        case '\'': (void)fputs("'\\''", to); break;
        case '[':
        case ']':
        case ':': (void)fprintf(to, "\\%c", *p); break;
        default: (void)fputc(*p, to);
        }
}

static void zsh_action(FILE *to, const struct argp_option *o)
{
    char room[LINE_NAME_SIZE];

    (void)fputc(':', to);
    zsh_text(to, o->arg);
    (void)fputc(':', to);
    if (page_value(o, 0, room) != NULL) {
        (void)fputc('(', to);
        put_values(to, o);
        (void)fputc(')', to);
    } else if (page_kind(o->arg) == VALUE_FILE) {
        (void)fputs("_files", to);
    } else if (page_kind(o->arg) == VALUE_FOLDER) {
        (void)fputs("_files -/", to);
    }
}

static void zsh_line(FILE *to, const command_line *line)
{
    option_row rows[ROWS_MAX];
    size_t n = page_rows(line->argp, rows);

    (void)fprintf(to, "    '%s')\n        _arguments -s \\\n", short_name(line));
    for (size_t i = 0; i < n; i++) {
        const struct argp_option *o = rows[i].option;

        if (o == NULL || o->name == NULL)
            continue;
        (void)fputs("            ", to);
        if (isprint(o->key))
            (void)fprintf(to, "'(-%c --%s)'{-%c%s,--%s%s}'[", o->key, o->name, o->key,
                          o->arg != NULL ? "+" : "", o->name, o->arg != NULL ? "=" : "");
        else
            (void)fprintf(to, "'--%s%s[", o->name, o->arg != NULL ? "=" : "");
        zsh_text(to, o->doc);
        (void)fputc(']', to);
        if (o->arg != NULL)
            zsh_action(to, o);
        (void)fputs("' \\\n", to);
    }
    (void)fputs("            '(- *)--help[explain, with examples]' '(- *)--version[say the version]'", to);
    if (line->argp->args_doc != NULL && page_kind(line->argp->args_doc) != VALUE_TEXT)
        (void)fputs(page_kind(line->argp->args_doc) == VALUE_FILE ? " '*::file:_files'"
                                                                  : " '*::folder:_files -/'",
                    to);
    (void)fputs(" ;;\n", to);
}

static void zsh_words(FILE *to, const book *b)
{
    (void)fputs("        case $words[2] in\n", to);
    for (size_t i = 0; i < b->chapter_n; i++) {
        const chapter *c = &b->chapters[i];

        if (c->usage == NULL)
            continue;
        (void)fprintf(to, "        %s) below=(", c->name);
        put_words(to, c);
        (void)fputs(") ;;\n", to);
    }
    (void)fputs("        esac\n", to);
}

static void put_zsh(FILE *to, const book *b)
{
    (void)fputs("#compdef trueline trueline-input\n"
                "# Completion of trueline for zsh, made from the tables of its options.\n\n"
                "local line=$service drop=0\nlocal -a commands below\n"
                "if [[ $service = trueline ]]; then\n    commands=(\n",
                to);
    for (size_t i = 0; i < b->chapter_n; i++) {
        if (b->chapters[i].apart)
            continue;
        (void)fprintf(to, "        '%s:", b->chapters[i].name);
        zsh_text(to, b->chapters[i].summary);
        (void)fputs("'\n", to);
    }
    (void)fputs("    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n        return\n"
                "    fi\n    if (( CURRENT >= 3 )); then\n",
                to);
    zsh_words(to, b);
    (void)fputs("    fi\n    line=$words[2] drop=1\n    if (( $#below )); then\n"
                "        if (( CURRENT == 3 )); then\n            compadd -- $below\n            return\n"
                "        fi\n        line+=\" $words[3]\" drop=2\n    fi\n"
                "    shift $drop words\n    (( CURRENT -= drop ))\nfi\ncase $line in\n",
                to);
    for (size_t i = 0; i < b->line_n; i++)
        zsh_line(to, &b->lines[i]);
    (void)fputs("esac\n", to);
}

/* ---- files ---- */

static tl_exit write_shell(const book *b, const char *path, void (*put)(FILE *to, const book *b),
                           tl_fault *fault)
{
    tl_file file;
    tl_exit e = tl_file_begin(&file, path, 0644, fault);

    if (e != TL_EXIT_OK)
        return e;
    put(file.stream, b);
    return tl_file_commit(&file, TL_FILE_REPLACE, fault);
}

tl_exit page_write_bash(const book *b, const char *folder, tl_fault *fault)
{
    char path[1024];

    (void)snprintf(path, sizeof path, "%s/trueline.bash", folder);
    return write_shell(b, path, put_bash, fault);
}

tl_exit page_write_zsh(const book *b, const char *folder, tl_fault *fault)
{
    char path[1024];

    (void)snprintf(path, sizeof path, "%s/_trueline", folder);
    return write_shell(b, path, put_zsh, fault);
}
