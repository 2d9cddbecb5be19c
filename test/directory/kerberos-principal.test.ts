import { expect } from "chai";
import * as fc from "fast-check";
import { kerberosPrincipal, personOfPrincipal } from "../../directory/kerberos-principal.ts";
import { PRESETS, type Schema } from "../../directory/options.ts";
import type { Person } from "../../directory/person.ts";
import type { Reader } from "../../directory/reader.ts";
import { personNamed } from "../support/directory.ts";

/** The beginning of KERB_VALIDATION_INFO in a ticket of Samba 4.17 for a user whose SID ends with 1104. */
const LOGON_INFO = Buffer.from(
  "01100800cccccccca0010000000000000000020072c2f7296b7ddd01ffffffffffffff7fffffffffffffff7fbc512e296b7ddd01bc119853347edd01" +
    "bcd1871e6c9edd010a000a00040002000000000008000200000000000c00020000000000100002000000000014000200000000001800020001000000" +
    "5004000001020000010000001c00020020000000",
  "hex",
);

describe("the principal of a ticket", () => {
  for (const [text, name, realm] of [
    ["alice@CORP.EXAMPLE", "alice", "CORP.EXAMPLE"],
    ["Søren Å@CORP.EXAMPLE", "Søren Å", "CORP.EXAMPLE"],
    ["pc1$@CORP.EXAMPLE", "pc1$", "CORP.EXAMPLE"],
  ] as const)
    it(`may be ${text}`, () => {
      expect(kerberosPrincipal(Buffer.from(text), LOGON_INFO)).to.deep.equal({ name, realm, rid: "1104" });
    });

  for (const text of [
    "",
    "alice",
    "@X",
    "alice@",
    "host/pc1@X",
    "alice\\@b.example@X",
    "a@b@X",
    "a\0@X",
    `${"a".repeat(65)}@X`,
  ])
    it(`is no person's as ${JSON.stringify(text.slice(0, 30))}`, () => {
      expect(kerberosPrincipal(Buffer.from(text), LOGON_INFO)).to.equal(undefined);
    });

  it("has no number where what should say it is cut or something else", () => {
    const rid = (info: Buffer) => kerberosPrincipal(Buffer.from("a@X"), info)?.rid;
    expect(rid(LOGON_INFO.subarray(0, 123))).to.equal(undefined);
    expect(rid(Buffer.concat([Buffer.from([2]), LOGON_INFO.subarray(1)]))).to.equal(undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(rid(Buffer.from(bytes)) ?? "0").to.match(/^\d+$/);
      }),
    );
  });
});

describe("whom a ticket is of", () => {
  const asked: string[] = [];
  const find = (people: readonly Person[], schema: Schema, rid: string | undefined, name = "alice") => {
    const reader = {
      async *people(filter: string) {
        asked.push(filter);
        yield* people;
      },
    } as unknown as Reader;
    return personOfPrincipal(reader, { name, realm: "CORP.EXAMPLE", rid }, { schema, ...PRESETS[schema] });
  };
  const alice = personNamed("alice", { rid: "1104" });

  for (const [title, people, schema, rid, found] of [
    ["the person whose number it has", [alice], "ad", "1104", "alice"],
    ["nobody, where the person of that name has another number", [alice], "ad", "1105", undefined],
    ["nobody in Active Directory, where it has no number", [alice], "ad", undefined, undefined],
    ["nobody, where two go by that name", [alice, personNamed("eve", { rid: "1105" })], "ad", "1104", undefined],
    ["nobody, where nobody has that name", [], "ad", "1104", undefined],
    ["the person of that name in other directories", [personNamed("alice")], "rfc2307", undefined, "alice"],
    ["nobody there either, where there are two", [personNamed("alice"), personNamed("eve")], "rfc2307", "1", undefined],
  ] as const)
    it(`is ${title}`, async () => {
      expect((await find(people, schema, rid))?.id).to.equal(found);
    });

  it("is asked for by a filter that a name cannot break", async () => {
    asked.length = 0;
    await find([], "ad", "1", "a)(cn=*");
    expect(asked).to.deep.equal([
      "(|(sAMAccountName=a\\29\\28cn=\\2a)(userPrincipalName=a\\29\\28cn=\\2a)(userPrincipalName=a\\29\\28cn=\\2a@CORP.EXAMPLE))",
    ]);
  });
});
