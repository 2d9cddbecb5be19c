import { expect } from "chai";
import * as fc from "fast-check";
import type { Entry } from "../../directory/connection.ts";
import { PRESETS, type Schema } from "../../directory/options.ts";
import { idOf, idValue, personOf } from "../../directory/person.ts";
import { BindFault, refusalOf } from "../../directory/refusal.ts";

const ID = Buffer.from("33221100554477668899aabbccddeeff", "hex");

function entry(values: Readonly<Record<string, string | Buffer>>): Entry {
  return {
    dn: "CN=alice,DC=x",
    values: new Map(
      Object.entries(values).map(([name, value]) => [name.toLowerCase(), [Buffer.from(value as string)]]),
    ),
  };
}

function adPerson(values: Readonly<Record<string, string | Buffer>>): ReturnType<typeof personOf> {
  return personOf(entry({ objectGUID: ID, sAMAccountName: "alice", ...values }), "ad", PRESETS.ad.attributes);
}

describe("a person of the directory", () => {
  for (const [name, schema, values, expected] of [
    ["is active in AD", "ad", { userAccountControl: "512" }, { standing: "active" }],
    ["is disabled", "ad", { userAccountControl: "514" }, { standing: "disabled" }],
    [
      "is locked, which userAccountControl does not say",
      "ad",
      { userAccountControl: "512", "msDS-User-Account-Control-Computed": "16" },
      { standing: "locked" },
    ],
    [
      "has an expired password",
      "ad",
      { userAccountControl: "512", "msDS-User-Account-Control-Computed": "8388608" },
      { standing: "password-expired" },
    ],
    [
      "is disabled before anything else",
      "ad",
      { userAccountControl: "514", "msDS-User-Account-Control-Computed": "16" },
      { standing: "disabled" },
    ],
    ["never expires: 0", "ad", { accountExpires: "0" }, {}],
    ["never expires: the largest number", "ad", { accountExpires: "9223372036854775807" }, {}],
    ["expires", "ad", { accountExpires: "134250912000000000" }, { expires: Date.UTC(2026, 5, 5) }],
    ["is in a primary group", "ad", { primaryGroupID: "513" }, { primaryGroup: "513" }],
    ["is active in OpenLDAP", "rfc2307", {}, { standing: "active" }],
    ["was locked by an administrator", "rfc2307", { pwdAccountLockedTime: "000001010000Z" }, { standing: "disabled" }],
    ["has locked itself out", "rfc2307", { pwdAccountLockedTime: "20260101000000Z" }, { standing: "locked" }],
    ["is locked in FreeIPA", "rfc2307", { nsAccountLock: "TRUE" }, { standing: "disabled" }],
    ["expires by shadowExpire", "rfc2307", { shadowExpire: "20000" }, { expires: 20_000 * 86_400_000 }],
    ["never expires by shadowExpire", "rfc2307", { shadowExpire: "-1" }, {}],
  ] as const satisfies readonly (readonly [string, Schema, Record<string, string>, object])[])
    it(name, () => {
      const person =
        schema === "ad"
          ? adPerson(values)
          : personOf(entry({ entryUUID: "A-1", uid: "alice", ...values }), schema, PRESETS.rfc2307.attributes);
      expect(person).to.include(expected);
      if (!("expires" in expected)) expect(person).not.to.have.property("expires");
    });

  it("is nobody without an id or a name", () => {
    expect(personOf(entry({ sAMAccountName: "x" }), "ad", PRESETS.ad.attributes)).to.equal(undefined);
    expect(personOf(entry({ objectGUID: ID }), "ad", PRESETS.ad.attributes)).to.equal(undefined);
    expect(personOf(entry({ objectGUID: Buffer.alloc(3), sAMAccountName: "x" }), "ad", PRESETS.ad.attributes)).to.equal(
      undefined,
    );
  });

  it("has objectGUID as Windows writes it, and is found by the same bytes", () => {
    expect(idOf(entry({ objectGUID: ID }), "objectGUID")).to.equal("00112233-4455-6677-8899-aabbccddeeff");
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const id = idOf(entry({ objectGUID: Buffer.from(bytes) }), "objectGUID") ?? "";
        expect(Buffer.from(idValue(id, "objectGUID") as Uint8Array)).to.deep.equal(Buffer.from(bytes));
      }),
    );
  });
});

describe("a refused bind", () => {
  for (const [diagnostic, refusal] of [
    ["80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 52e, v4563", "wrong"],
    ["80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 533, v1db1", "disabled"],
    ["80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 701, v1db1", "expired"],
    ["80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 775, v1db1", "locked"],
    ["80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 773, v1db1", "must-change-password"],
    ["80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 532, v1db1", "password-expired"],
    [" Code: 0x31", "wrong"],
  ] as const)
    it(`says why: ${refusal}`, () => expect(refusalOf(diagnostic)).to.equal(refusal));

  it("tells whoever tried nothing but that it failed", () => {
    expect(new BindFault("disabled", "alice")).to.include({ kind: "unauthenticated", tell: "wrong name or password" });
  });
});
