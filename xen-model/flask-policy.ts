// SPDX-License-Identifier: Apache-2.0
// Which labels a binary FLASK policy knows: its symbol tables, read as policydb_read() reads them
// (xen/xsm/flask/ss/policydb.c), and the check that string_to_context_struct() makes of a label
// (services.c there). Rules are not read. Any bytes end in a policy or in words.

/** Format versions that Xen reads and that hold boundaries (POLICYDB_VERSION_*). */
const OLDEST = 24;
const NEWEST = 30;
const MAGIC = 0xf97cff8c;
const IDENTIFIER = "XenFlask";
/** POLICYDB_CONFIG_MLS: labels have a fourth part. */
const MULTI_LEVEL = 1;
/** Versions from which a class, or a constraint, has more fields. */
const OBJECT_DEFAULTS = 27;
const DEFAULT_TYPE = 28;
const CONSTRAINT_NAMES = 29;
/** TYPEDATUM_PROPERTY_ATTRIBUTE: no type, but a name for several. */
const ATTRIBUTE = 2;
/** CEXPR_NAMES: the only kind of constraint expression with more than its three numbers. */
const CONSTRAINT_OF_NAMES = 5;
/** The role that goes with every type (OBJECT_R). */
const OBJECT_ROLE = "object_r";

interface Role {
  readonly value: number;
  /** Values of the types that it goes with. */
  readonly types: ReadonlySet<number>;
}

/** What of a policy decides whether a label is one. */
export interface FlaskPolicy {
  readonly multiLevel: boolean;
  /** Values of each user's roles. */
  readonly users: ReadonlyMap<string, ReadonlySet<number>>;
  readonly roles: ReadonlyMap<string, Role>;
  /** Value of each type. */
  readonly types: ReadonlyMap<string, number>;
}

/** Thrown by the reader, and caught by readFlaskPolicy() alone. */
class Malformed extends Error {}

class Reader {
  readonly #bytes: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  skip(bytes: number): number {
    const from = this.#at;
    if (bytes > this.#bytes.byteLength - from) throw new Malformed("it ends too early");
    this.#at = from + bytes;
    return from;
  }

  number(): number {
    return this.#bytes.getUint32(this.skip(4), true);
  }

  numbers<const Count extends number>(count: Count): number[] {
    return Array.from({ length: count }, () => this.number());
  }

  text(bytes: number): string {
    const from = this.skip(bytes);
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + from, bytes).toString("latin1");
  }

  /** Runs `read` as often as a number that was read says; each takes bytes, so that it ends. */
  times(count: number, read: () => void): void {
    for (let done = 0; done < count; done++) read();
  }

  /** ebitmap_read(): values count from 1, bits from 0. */
  bitmap(): ReadonlySet<number> {
    const [, , count = 0] = this.numbers(3);
    const values = new Set<number>();
    this.times(count, () => {
      const start = this.number();
      for (const half of [0, 32]) {
        const bits = this.number();
        for (let bit = 0; bit < 32; bit++) {
          if (((bits >>> bit) & 1) !== 0) values.add(start + half + bit + 1);
        }
      }
    });
    return values;
  }
}

/** The policy in these bytes, or what is wrong with them. */
export function readFlaskPolicy(bytes: Uint8Array): FlaskPolicy | string {
  try {
    return readPolicy(new Reader(bytes));
  } catch (error) {
    if (error instanceof Malformed) return error.message;
    throw error;
  }
}

function readPolicy(reader: Reader): FlaskPolicy {
  if (reader.number() !== MAGIC) throw new Malformed("it does not begin as one");
  const identifier = reader.text(Math.min(reader.number(), 32));
  if (identifier !== IDENTIFIER) {
    throw new Malformed(`it is for ${JSON.stringify(identifier)}, not for ${IDENTIFIER}`);
  }
  const [version = 0, configuration = 0] = reader.numbers(4);
  if (version < OLDEST || version > NEWEST) {
    throw new Malformed(`its format is ${version}, wanted one from ${OLDEST} to ${NEWEST}`);
  }
  // Capabilities, and permissive types.
  reader.bitmap();
  reader.bitmap();
  const table = (read: () => void): void => {
    const [, count = 0] = reader.numbers(2);
    reader.times(count, read);
  };
  const permission = (): void => {
    const [length = 0] = reader.numbers(2);
    reader.text(length);
  };
  table(() => {
    const [length = 0, , , permissions = 0] = reader.numbers(4);
    reader.text(length);
    reader.times(permissions, permission);
  });
  table(() => {
    const [length = 0, common = 0, , , permissions = 0, constraints = 0] = reader.numbers(6);
    reader.text(length + common);
    reader.times(permissions, permission);
    readConstraints(reader, constraints, version);
    readConstraints(reader, reader.number(), version);
    if (version >= OBJECT_DEFAULTS) reader.numbers(3);
    if (version >= DEFAULT_TYPE) reader.number();
  });
  const roles = new Map<string, Role>();
  table(() => {
    const [length = 0, value = 0] = reader.numbers(3);
    const name = reader.text(length);
    reader.bitmap();
    roles.set(name, { value, types: reader.bitmap() });
  });
  const types = new Map<string, number>();
  table(() => {
    const [length = 0, value = 0, properties = 0] = reader.numbers(4);
    const name = reader.text(length);
    if ((properties & ATTRIBUTE) === 0) types.set(name, value);
  });
  const users = new Map<string, ReadonlySet<number>>();
  table(() => {
    const [length = 0] = reader.numbers(3);
    const name = reader.text(length);
    users.set(name, reader.bitmap());
    // Its range has one level or two, its default level one.
    const levels = reader.number();
    reader.numbers(levels);
    reader.times(Math.min(levels, 2), () => reader.bitmap());
    reader.number();
    reader.bitmap();
  });
  return { multiLevel: (configuration & MULTI_LEVEL) !== 0, users, roles, types };
}

function readConstraints(reader: Reader, count: number, version: number): void {
  reader.times(count, () => {
    const [, expressions = 0] = reader.numbers(2);
    reader.times(expressions, () => {
      const [kind] = reader.numbers(3);
      if (kind !== CONSTRAINT_OF_NAMES) return;
      reader.bitmap();
      if (version < CONSTRAINT_NAMES) return;
      reader.bitmap();
      reader.bitmap();
      reader.number();
    });
  });
}

/** A part of a label that the policy does not know, or what the parts are not together. */
export interface LabelFault {
  /** The rest of a sentence that begins with the label. */
  readonly predicate: string;
  /** What there is in place of the part that is unknown; empty: nothing to choose from. */
  readonly choices: readonly string[];
  readonly part: string;
}

/** What is wrong with a label; undefined: nothing. Levels are left to Xen. */
export function labelFault(policy: FlaskPolicy, label: string): LabelFault | undefined {
  const [user = "", role = "", type = "", ...levels] = label.split(":");
  const fault = (part: string, predicate: string, choices: Iterable<string> = []): LabelFault => ({
    part,
    predicate,
    choices: [...choices],
  });
  if (type === "" || levels.length > 0 !== policy.multiLevel) {
    return fault(label, `has not the form user:role:type${policy.multiLevel ? ":level" : ""}`);
  }
  const userRoles = policy.users.get(user);
  const known = policy.roles.get(role);
  const value = policy.types.get(type);
  if (userRoles === undefined) return fault(user, `names no user: "${user}"`, policy.users.keys());
  if (known === undefined) return fault(role, `names no role: "${role}"`, policy.roles.keys());
  if (value === undefined) return fault(type, `names no type: "${type}"`, policy.types.keys());
  if (role === OBJECT_ROLE) return undefined;
  if (!known.types.has(value)) return fault(role, `has a type that its role ${role} is not for`);
  return userRoles.has(known.value)
    ? undefined
    : fault(user, `has a role that its user ${user} is not for`);
}
