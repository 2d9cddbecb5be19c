import { expect } from "chai";
import * as fc from "fast-check";
import { isDn, normalizedDn } from "../../directory/dn.ts";
import { anyOf, filterValue } from "../../directory/filter.ts";

describe("distinguished names", () => {
  for (const [a, b, same] of [
    ["CN=Alice,DC=x", "cn=alice, dc = X", true],
    ["CN=Smith\\, Bob,DC=x", "cn=smith\\2C bob,dc=x", true],
    ["CN=Smith\\, Bob,DC=x", "cn=smith,bob=1,dc=x", false],
    ["CN=a+OU=b,DC=x", "ou=b+cn=a,dc=x", true],
    ["CN=a\\ ,DC=x", "CN=a,DC=x", false],
    ["CN=a\\\\ ,DC=x", "CN=a\\\\,DC=x", true],
    ["CN=S\\c3\\b8ren,DC=x", "cn=sØren,dc=x", true],
    ["CN=a  b,DC=x", "CN=a b,DC=x", false],
    ["CN=a=b,DC=x", "cn=A=B,dc=x", true],
  ] as const)
    it(`${same ? "are one" : "are two"}: ${a} and ${b}`, () => {
      expect(normalizedDn(a) === normalizedDn(b)).to.equal(same);
    });

  it("are in that form once and for all", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("cn", "OU", " dc "), fc.string())), (parts) => {
        const escaped = (text: string): string => text.replace(/[,+=\\]/g, (sign) => `\\${sign}`);
        const once = normalizedDn(parts.map(([name, value]) => `${name}=${escaped(value)}`).join(","));
        expect(normalizedDn(once)).to.equal(once);
      }),
    );
  });

  for (const [text, is] of [
    ["CN=Guards,DC=x", true],
    ["ou = x", true],
    ["Camera Guards", false],
    ["1=x", false],
  ] as const)
    it(`${is ? "are" : "are not"} taken for one: ${text}`, () => expect(isDn(text)).to.equal(is));
});

describe("search filters", () => {
  for (const [value, written] of [
    ["a*)(uid=*", "a\\2a\\29\\28uid=\\2a"],
    ["back\\slash", "back\\5cslash"],
    ["nul\0", "nul\\00"],
    ["Søren", "Søren"],
    [Uint8Array.of(1, 0x2a, 0xff), "\\01\\2a\\ff"],
  ] as const)
    it(`keep a value a value: ${JSON.stringify(value)}`, () => expect(filterValue(value)).to.equal(written));

  it("need no OR around one", () => {
    expect([anyOf(["(a=1)"]), anyOf(["(a=1)", "(b=2)"])]).to.deep.equal(["(a=1)", "(|(a=1)(b=2))"]);
  });
});
