import { KeptAnswers } from "./kept-answers.ts";
import type { Prefix } from "./namespaces.ts";
import type { XmlElement } from "./xml.ts";

/** Carries the TypeScript type of a row; nothing at run time. */
declare const value: unique symbol;

/** A value that is written as text. */
export interface Simple<T> {
  readonly [value]?: T;
  readonly kind: "simple";
  /** As the schema files call it: `xs:int`, `tt:ReferenceToken`. */
  readonly name: string;
  /** The values of an enumeration; undefined where the type is none. */
  readonly values: readonly string[] | undefined;
  print(of: T): string;
  /** `text` has its blanks collapsed where the schema says so. Returns undefined for text that the type does not allow. */
  parse(text: string): T | undefined;
}

/** A value that is written as elements and attributes. */
export interface Complex<T> {
  readonly [value]?: T;
  readonly kind: "complex";
  readonly name: string;
  /** Attributes and elements; elements in the order of the schema, those of a base type first. */
  readonly members: readonly Member[];
  /** Unknown elements behind the known ones, and unknown attributes, are allowed and carry nothing for us. */
  readonly open: boolean;
  /** What its values were printed as, of a type whose values are {@link printedOnce}; as long as each is there, for none of them ever changes. */
  readonly printed?: WeakMap<object, Printed>;
  /** The same of messages that are {@link sentAsKept}; of the newest of them. */
  readonly sent?: KeptAnswers;
}

/** A printed value: what stands in its element's tag, and between that and the closing one. */
export interface Printed {
  readonly attributes: string;
  readonly content: string;
  readonly prefixes: ReadonlySet<Prefix>;
}

/** Content that the tables do not describe. Read: kept as an element, for who wants it. Printed: the given XML text, as it is. */
export interface Anything {
  readonly [value]?: Xml;
  readonly kind: "anything";
  /** What our WSDL says of it, where it is something that is printed elsewhere. */
  readonly told?: Complex<unknown>;
}

/** Printed XML, with the prefixes that it uses; or the element that was read, without its text. */
export interface Xml {
  readonly xml: string;
  readonly prefixes: ReadonlySet<Prefix>;
  readonly element?: XmlElement;
}

export type Type<T = unknown> = Simple<T> | Complex<T> | (Anything & { readonly [value]?: T });

/** One element or attribute of a complex type. */
export interface Member {
  readonly name: string;
  /** Of the schema that declares it, which for an inherited element is that of the base type. */
  readonly prefix: Prefix;
  readonly attribute: boolean;
  readonly min: 0 | 1;
  /** More than one of it can follow one another: the value is an array. */
  readonly many: boolean;
  readonly type: Type;
}

type Occurs = "opt" | "many" | "some" | "attr" | "optAttr";

/** A row's type together with how often it occurs; a bare type occurs exactly once, as an element. */
export interface Occurring<T, O extends Occurs> {
  readonly [value]?: T;
  readonly occurs: O;
  readonly type: Type<T>;
}

/** A row whose element is declared by another schema than the rows around it. */
interface Declared {
  readonly declaredBy: Prefix;
}

// biome-ignore lint/suspicious/noExplicitAny: the row's own type is inferred, this only says that it is a row
type Row = Type<any> | Occurring<any, Occurs>;
export type Rows = Readonly<Record<string, Row>>;

/** The TypeScript value of a type. */
export type ValueOf<R> = R extends { readonly [value]?: infer T } ? Exclude<T, undefined> : never;
type MayMiss<R> = R extends Occurring<unknown, "opt" | "many" | "optAttr"> ? true : false;
type OfRow<R> = R extends Occurring<unknown, "many" | "some"> ? readonly ValueOf<R>[] : ValueOf<R>;

/** Property names are the schema's own, attributes among them: no type of ONVIF has both under one name. */
export type Shape<R extends Rows> = {
  readonly [K in keyof R as MayMiss<R[K]> extends true ? never : K]: OfRow<R[K]>;
} & { readonly [K in keyof R as MayMiss<R[K]> extends true ? K : never]?: OfRow<R[K]> | undefined };

export const opt = <T>(type: Type<T>): Occurring<T, "opt"> => ({ occurs: "opt", type });
/** Any number, none included. */
export const many = <T>(type: Type<T>): Occurring<T, "many"> => ({ occurs: "many", type });
/** At least one. */
export const some = <T>(type: Type<T>): Occurring<T, "some"> => ({ occurs: "some", type });
export const attr = <T>(type: Type<T>): Occurring<T, "attr"> => ({ occurs: "attr", type });
export const optAttr = <T>(type: Type<T>): Occurring<T, "optAttr"> => ({ occurs: "optAttr", type });

/** A row that refers to an element of another schema, as `ref="wsnt:CurrentTime"` does. */
export const from = <R extends Row>(declaredBy: Prefix, row: R): R & Declared => ({ ...row, declaredBy });

export const ANYTHING: Anything = { kind: "anything" };

/** Content that is printed elsewhere, as that type. */
export const toldAs = (told: Complex<unknown>): Anything => ({ ...ANYTHING, told });

/** For {@link type}: the schema lets more follow. Said of types that we read; it means nothing for those that we only print. */
export const OPEN = "open";

function membersOf(prefix: Prefix, rows: Rows): readonly Member[] {
  return Object.entries(rows).map(([name, row]): Member => {
    const occurs = "occurs" in row ? row.occurs : undefined;
    return {
      name,
      prefix: "declaredBy" in row ? (row as Declared).declaredBy : prefix,
      attribute: occurs === "attr" || occurs === "optAttr",
      min: occurs === "opt" || occurs === "many" || occurs === "optAttr" ? 0 : 1,
      many: occurs === "many" || occurs === "some",
      type: "occurs" in row ? row.type : row,
    };
  });
}

function prefixOf(name: string): Prefix {
  return name.split(":", 1)[0] as Prefix;
}

/** A complex type by its name in the schema files, such as `tt:IntRange`. */
export function type<const R extends Rows>(
  name: `${Prefix}:${string}`,
  rows: R,
  open?: typeof OPEN,
): Complex<Shape<R>> {
  return { kind: "complex", name, members: membersOf(prefixOf(name), rows), open: open === OPEN };
}

/** A complex type that begins with all of another one. */
export function extend<B, const R extends Rows>(
  name: `${Prefix}:${string}`,
  base: Complex<B>,
  rows: R,
  open?: typeof OPEN,
): Complex<B & Shape<R>> {
  const own = membersOf(prefixOf(name), rows);
  return { kind: "complex", name, members: [...base.members, ...own], open: base.open || open === OPEN };
}

/** The same type, whose values are printed once each, and kept in that form. For values that are given out again and again. */
export function printedOnce<T>(of: Complex<T>): Complex<T> {
  return { ...of, printed: new WeakMap() };
}

/** The same of a message, kept as the bytes that are sent. */
export function sentAsKept<T>(of: Complex<T>): Complex<T> {
  return { ...of, sent: new KeptAnswers() };
}
