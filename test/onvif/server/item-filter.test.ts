import { expect } from "chai";
import * as fc from "fast-check";
import { readItemFilter } from "../../../onvif/server/item-filter.ts";
import type { Item } from "../../../wsdl/notification.ts";

const ITEMS: readonly Item[] = [
  ["Source", "gate"],
  ["State", "true"],
];

const item = (name: string, value: string): string => `boolean(//tt:SimpleItem[@Name="${name}" and @Value="${value}"])`;

describe("a filter of messages by their items", () => {
  const rows: readonly (readonly [string, boolean | undefined])[] = [
    [item("State", "true"), true],
    [item("State", "false"), false],
    [item("Source", "true"), false],
    ["boolean(//SimpleItem[@Value='gate'])", true],
    [`  boolean ( //tt:SimpleItem[ @Name = "State" and @Value = "true" ] )  `, true],
    [`${item("State", "true")} and ${item("Source", "gate")}`, true],
    [`${item("State", "true")} and ${item("Source", "yard")}`, false],
    [`${item("State", "false")} or ${item("Source", "gate")}`, true],
    [`${item("State", "true")} or ${item("State", "true")} and ${item("Source", "yard")}`, true],
    [`(${item("State", "true")} or ${item("State", "true")}) and ${item("Source", "yard")}`, false],
    [`not(${item("State", "true")})`, false],
    [`boolean(//tt:SimpleItem[not(@Name="State") and (@Value="gate" or @Value="yard")])`, true],
    ["", undefined],
    ["true", undefined],
    [item("State", "true").slice(0, -1), undefined],
    [`${item("State", "true")})`, undefined],
    [`${item("State", "true")} and`, undefined],
    [`boolean(//tt:SimpleItem[@Name="State"]) | ${item("a", "b")}`, undefined],
    ["boolean(//tt:SimpleItem[contains(@Name,'a')])", undefined],
    ["boolean(//tt:ElementItem[@Name='a'])", undefined],
    ["boolean(//tt:SimpleItem[@Type='a'])", undefined],
    [`${"(".repeat(1000)}${item("a", "b")}${")".repeat(1000)}`, undefined],
    [Array.from({ length: 200 }, () => item("a", "b")).join(" or "), undefined],
  ];
  for (const [text, wanted] of rows)
    it(`${text.slice(0, 90)} ${wanted === undefined ? "is refused" : wanted ? "takes it" : "leaves it"}`, () => {
      expect(readItemFilter(text)?.(ITEMS)).to.equal(wanted);
    });

  it("that is anything is refused without an error", () => {
    const pieces = fc.constantFrom(
      "boolean",
      "not",
      "(",
      ")",
      "[",
      "]",
      "//tt:SimpleItem",
      "@Name",
      "=",
      '"a"',
      " and ",
      "or ",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 600 }).map((of) => of.join("")),
        ),
        (text) => {
          const filter = readItemFilter(text);
          expect(["boolean", "undefined"]).to.include(typeof filter?.(ITEMS));
        },
      ),
    );
  });
});
