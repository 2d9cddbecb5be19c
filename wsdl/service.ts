import { NAMESPACES, type Prefix } from "./namespaces.ts";
import { type Complex, type Rows, type Shape, sentAsKept, type, type ValueOf } from "./schema.ts";

/** What an operation touches (ONVIF Core 5.9.4.3, Access classes for service requests). */
export type AccessClass =
  | "PRE_AUTH"
  | "READ_SYSTEM"
  | "READ_SYSTEM_SECRET"
  | "WRITE_SYSTEM"
  | "UNRECOVERABLE"
  | "READ_MEDIA"
  | "ACTUATE";

/** One operation: the messages that stand in the body of request and answer. */
export interface Operation<Q = unknown, A = unknown, C extends AccessClass = AccessClass> {
  readonly access: C;
  readonly request: Complex<Q>;
  readonly response: Complex<A>;
}

/** Operations of one port type, by name. */
export interface ServiceTable<O extends Readonly<Record<string, Operation>> = Readonly<Record<string, Operation>>> {
  readonly prefix: Prefix;
  readonly namespace: string;
  /** What the actions of its messages begin with (WS-Addressing): the namespace, or that with the port type behind it. */
  readonly actions: string;
  /** What we answer. */
  readonly operations: O;
  /** What the port type has besides, by access class; these are known and not supported. */
  readonly others: ReadonlyMap<string, AccessClass>;
}

export type RequestOf<O> = O extends { readonly request: infer R } ? ValueOf<R> : never;
export type ResponseOf<O> = O extends { readonly response: infer R } ? ValueOf<R> : never;

/** A row of a service table, before it knows its name and service. A message is given by its rows, or by its type. */
interface OperationRow<Q, A, C extends AccessClass> {
  readonly access: C;
  readonly request: (prefix: Prefix, name: string) => Complex<Q>;
  readonly response: (prefix: Prefix, name: string) => Complex<A>;
}

// biome-ignore lint/suspicious/noExplicitAny: the message's own type is inferred, this only says that it is one
type Message = Rows | Complex<any>;
type MessageValue<M> = M extends Complex<infer T> ? T : M extends Rows ? Shape<M> : never;

function message<M extends Message>(rows: M): (prefix: Prefix, name: string) => Complex<MessageValue<M>> {
  return (prefix, name) =>
    (isComplex(rows) ? rows : type(`${prefix}:${name}`, rows as Rows)) as Complex<MessageValue<M>>;
}

function isComplex(of: Message): of is Complex<unknown> {
  return "kind" in of && of["kind"] === "complex" && "members" in of;
}

/** A row of a service table: the rows of the request and of the answer. */
export function operation<C extends AccessClass, const Q extends Message, const A extends Message>(
  access: C,
  request: Q,
  response: A,
): OperationRow<MessageValue<Q>, MessageValue<A>, C> {
  return { access, request: message(request), response: message(response) };
}

/** A row whose answers are kept as they are sent: for those that are long, and given again as the very same object. */
export function keptAnswer<Q, A, C extends AccessClass>(row: OperationRow<Q, A, C>): OperationRow<Q, A, C> {
  return { ...row, response: (prefix, name) => sentAsKept(row.response(prefix, name)) };
}

type Completed<R> = {
  readonly [K in keyof R]: R[K] extends OperationRow<infer Q, infer A, infer C> ? Operation<Q, A, C> : never;
};

/** A service: what is served, and, by access class, the names of what is not. `actions`: its namespace if absent. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export function service<const R extends Readonly<Record<string, OperationRow<any, any, AccessClass>>>>(
  prefix: Prefix,
  rows: R,
  others: Readonly<Partial<Record<AccessClass, string>>>,
  actions: string = NAMESPACES[prefix],
): ServiceTable<Completed<R>> {
  const operations: Record<string, Operation> = {};
  for (const [name, row] of Object.entries(rows))
    operations[name] = {
      access: row.access,
      request: row.request(prefix, name),
      response: row.response(prefix, `${name}Response`),
    };
  const classes = Object.entries(others) as [AccessClass, string][];
  return {
    prefix,
    namespace: NAMESPACES[prefix],
    actions,
    operations: operations as Completed<R>,
    others: new Map(
      classes.flatMap(([access, names]) =>
        names
          .trim()
          .split(/\s+/)
          .map((name) => [name, access] as const),
      ),
    ),
  };
}

type Nothing = Readonly<Record<string, never>>;

/** The same, where none of it is served. */
export function unserved(table: ServiceTable): ServiceTable<Nothing> {
  const served = Object.entries(table.operations).map(([name, { access }]) => [name, access] as const);
  return { ...table, operations: {}, others: new Map([...table.others, ...served]) };
}
