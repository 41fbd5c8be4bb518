/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for Xen's log, put together piece by piece. */
static void write_text(const char *text)
{
    unsigned int length = 0;

    while ( text[length] )
        length++;
    hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, length, (unsigned long)text);
}

static char line[128];
static unsigned int line_length;

static void add_character(char character)
{
    if ( line_length < sizeof(line) - 2 )
        line[line_length++] = character;
}

static void add_text(const char *text)
{
    while ( *text )
        add_character(*text++);
}

static void add_number(uint64_t value)
{
    char digits[20];
    unsigned int count = 0;

    do {
        digits[count++] = '0' + value % 10;
        value /= 10;
    } while ( value );
    while ( count )
        add_character(digits[--count]);
}

static void end_line(void)
{
    line[line_length++] = '\n';
    line[line_length] = 0;
    write_text(line);
    line_length = 0;
}
