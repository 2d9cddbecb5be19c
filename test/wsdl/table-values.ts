import * as fc from "fast-check";
import type { Complex, Member, Simple, Type } from "../../wsdl/schema.ts";
import type { Operation, ServiceTable } from "../../wsdl/service.ts";
import { DEVICE } from "../../wsdl/tables/tds.ts";
import { EVENTS, PULL_POINT } from "../../wsdl/tables/tev.ts";
import { IMAGING } from "../../wsdl/tables/timg.ts";
import { DEVICE_IO } from "../../wsdl/tables/tmd.ts";
import { PTZ } from "../../wsdl/tables/tptz.ts";
import { MEDIA2 } from "../../wsdl/tables/tr2.ts";
import { RECORDING } from "../../wsdl/tables/trc.ts";
import { REPLAY } from "../../wsdl/tables/trp.ts";
import { MEDIA } from "../../wsdl/tables/trt.ts";
import { SEARCH } from "../../wsdl/tables/tse.ts";
import { NOTIFICATION_PRODUCER, PAUSABLE_SUBSCRIPTION_MANAGER, SUBSCRIPTION_MANAGER } from "../../wsdl/tables/wsnt.ts";

export const TABLES: readonly ServiceTable[] = [
  DEVICE,
  MEDIA,
  MEDIA2,
  RECORDING,
  SEARCH,
  REPLAY,
  EVENTS,
  PULL_POINT,
  NOTIFICATION_PRODUCER,
  SUBSCRIPTION_MANAGER,
  PAUSABLE_SUBSCRIPTION_MANAGER,
  PTZ,
  IMAGING,
  DEVICE_IO,
];

export function operationsOf({ operations }: ServiceTable): readonly (readonly [string, Operation])[] {
  return Object.entries(operations);
}

const word = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/);
const instant = fc.integer({ min: 0, max: Date.UTC(2099, 11, 31) });

/** Values of the types of XML Schema that the tables are made of; other simple types are strings. */
const SIMPLE: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  "xs:boolean": fc.boolean(),
  "xs:int": fc.integer(),
  "xs:integer": fc.maxSafeInteger(),
  "xs:float": fc.integer({ min: -1000, max: 1000 }).map((of) => of / 8),
  "xs:dateTime": instant,
  "xs:duration": fc.nat({ max: 10 ** 9 }),
  "xs:anyURI": word.map((of) => `http://192.0.2.1/${of}?a=b&c=<d>`),
  "wsnt:AbsoluteOrRelativeTimeType": fc.oneof(
    instant.map((at) => ({ at })),
    fc.nat({ max: 10 ** 9 }).map((afterMs) => ({ afterMs })),
  ),
  "wsa:AttributedURIType": word.map((of) => `http://192.0.2.1/${of}?a=b&c=<d>`),
  "tt:IntList": fc.array(fc.integer(), { minLength: 1, maxLength: 3 }),
  "tt:FloatList": fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 3 }),
  "tt:StringList": fc.array(word, { minLength: 1, maxLength: 3 }),
  "tt:StringAttrList": fc.array(word, { minLength: 1, maxLength: 3 }),
};

function simple({ name, values }: Simple<unknown>): fc.Arbitrary<unknown> {
  return values === undefined ? (SIMPLE[name] ?? word) : fc.constantFrom(...values);
}

/** What is anything to us and something to the schema, by the element that it stands in. */
const CONTENTS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  SearchFilter: fc.constant({ xml: "", prefixes: new Set() }),
  Event: fc.constant({
    xml: `<wsnt:Message><tt:Message UtcTime="2026-11-24T12:00:00Z"/></wsnt:Message>`,
    prefixes: new Set(["wsnt", "tt"]),
  }),
};

/** Types of which the schema has one member at a time, which tables do not say. */
export const CHOICES: ReadonlySet<string> = new Set(["tt:PTZPresetTourPresetDetail"]);

function member({ name, type, many, min }: Member): fc.Arbitrary<unknown> {
  const of = (type.kind === "anything" ? CONTENTS[name] : undefined) ?? valuesOf(type);
  return many ? fc.array(of, { minLength: min, maxLength: 2 }) : of;
}

/** Any value that the type allows, as the serializer takes it and the decoder makes it: nothing is an absent property. */
export function valuesOf(type: Type): fc.Arbitrary<unknown> {
  if (type.kind === "simple") return simple(type);
  if (type.kind === "anything") return fc.constant({ xml: `<any xmlns="urn:other"/>`, prefixes: new Set() });
  if (CHOICES.has(type.name)) return fc.oneof(...type.members.map((one) => fc.record({ [one.name]: member(one) })));
  // What may be anything to us is something of its own to the schema, so it stands only where it must.
  const members = type.members.filter((one) => one.min === 1 || one.type.kind !== "anything");
  const required = members.filter(({ min }) => min === 1);
  return fc
    .record(Object.fromEntries(members.map((one) => [one.name, member(one)])), {
      requiredKeys: required.map(({ name }) => name),
    })
    .map((made) => Object.fromEntries(Object.entries(made).filter(([, of]) => !Array.isArray(of) || of.length > 0)));
}

/** Messages of one operation, with the local names of their elements. */
export function messagesOf(
  name: string,
  { request, response }: Operation,
): readonly (readonly [string, Complex<unknown>])[] {
  return [
    [name, request],
    [`${name}Response`, response],
  ];
}
