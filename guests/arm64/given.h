/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a domain is given at its start on arm64: a flattened device tree (Devicetree Specification,
 * chapter 5), of which this reads what domb writes, as structures that x86-64 has as well.
 */
#include <public/arch-x86/hvm/start_info.h>

#define TREE_MAGIC 0xd00dfeed
#define BEGIN_NODE 1
#define END_NODE   2
#define PROPERTY   3
#define NOP        4

/* The tree's header: each number's first byte is its highest. */
struct given {
    uint32_t magic, bytes, structure, strings;
};

struct property {
    /* How deep its node lies: 1 is the root. */
    unsigned int depth;
    const char *node, *name;
    const uint8_t *value;
    uint32_t bytes;
};

static uint64_t number_at(const uint8_t *value, unsigned int bytes)
{
    uint64_t number = 0;

    while ( bytes-- )
        number = number << 8 | *value++;
    return number;
}

static int is_given(const struct given *given)
{
    return given && number_at((const uint8_t *)&given->magic, 4) == TREE_MAGIC;
}

/* Whether a text is a name, or begins with one that ends in '@'. */
static int is_named(const char *text, const char *name)
{
    while ( *name && *text == *name )
    {
        if ( *name == '@' )
            return 1;
        text++;
        name++;
    }
    return *text == *name;
}

/* Goes on to the next property, from a zeroed one and a zeroed place; 0: there is none. */
static int next_property(const struct given *given, uint32_t *place, struct property *property)
{
    const uint8_t *tree = (const uint8_t *)given;
    const uint8_t *structure = tree + number_at((const uint8_t *)&given->structure, 4);
    const uint8_t *strings = tree + number_at((const uint8_t *)&given->strings, 4);

    for ( ;; )
    {
        const uint8_t *at = structure + *place;

        switch ( number_at(at, 4) )
        {
        case BEGIN_NODE:
            property->node = (const char *)at + 4;
            property->depth++;
            for ( at += 4; *at; at++ )
                ;
            *place = (at - structure + 4) & ~3U;
            break;
        case END_NODE:
            property->depth--;
            *place += 4;
            break;
        case NOP:
            *place += 4;
            break;
        case PROPERTY:
            property->bytes = number_at(at + 4, 4);
            property->name = (const char *)strings + number_at(at + 8, 4);
            property->value = at + 12;
            *place += (12 + property->bytes + 3) & ~3U;
            return 1;
        default:
            return 0;
        }
    }
}

/* Goes on to the next property of a name in nodes of a name; 0: there is none. */
static int find_property(const struct given *given, uint32_t *place, struct property *property,
                         unsigned int depth, const char *node, const char *name)
{
    while ( is_given(given) && next_property(given, place, property) )
        if ( property->depth == depth && is_named(property->node, node) &&
             is_named(property->name, name) )
            return 1;
    return 0;
}

static int find_chosen(const struct given *given, const char *name, struct property *property)
{
    uint32_t place = 0;

    *property = (struct property) { 0 };
    return find_property(given, &place, property, 2, "chosen", name);
}

static const char *command_line(const struct given *given)
{
    struct property property;

    return find_chosen(given, "bootargs", &property) ? (const char *)property.value : "";
}

static unsigned int modules(const struct given *given)
{
    struct property property;

    return find_chosen(given, "linux,initrd-start", &property);
}

static const struct hvm_modlist_entry *module_list(const struct given *given)
{
    static struct hvm_modlist_entry module;
    struct property start, end;

    if ( find_chosen(given, "linux,initrd-start", &start) &&
         find_chosen(given, "linux,initrd-end", &end) )
    {
        module.paddr = number_at(start.value, start.bytes);
        module.size = number_at(end.value, end.bytes) - module.paddr;
    }
    return &module;
}

/* The tree has no other memory than RAM, and with it the tree itself. */
static struct hvm_memmap_table_entry ranges[2];

static unsigned int memory_ranges(const struct given *given)
{
    struct property property = { 0 };
    uint32_t place = 0;
    unsigned int count = 0;

    while ( count < 2 && find_property(given, &place, &property, 2, "memory@", "reg") )
    {
        ranges[count].addr = number_at(property.value, 8);
        ranges[count].size = number_at(property.value + 8, 8);
        ranges[count++].type = XEN_HVM_MEMMAP_TYPE_RAM;
    }
    return count;
}

static const struct hvm_memmap_table_entry *memory_map(const struct given *given)
{
    memory_ranges(given);
    return ranges;
}
