import { expect } from "chai";
import * as fc from "fast-check";
import { SECOND } from "../../../base/units.ts";
import { DEVICE, NETWORK_VIDEO_TRANSMITTER, type TypeName } from "../../../discovery/message.ts";
import { AnswerBudget } from "../../../discovery/server/budget.ts";
import { matches } from "../../../discovery/server/match.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const WSD = "http://schemas.xmlsoap.org/ws/2005/04/discovery";
const TYPES = [NETWORK_VIDEO_TRANSMITTER, DEVICE];
const SCOPES = ["onvif://www.onvif.org/name/Gate%20house", "onvif://www.onvif.org/location/country/Germany"];

const asked = (scope: string, matchBy?: string): boolean =>
  matches({ kind: "Probe", types: [], scopes: [scope], ...(matchBy === undefined ? {} : { matchBy }) }, TYPES, SCOPES);
const typed = (...types: readonly TypeName[]): boolean => matches({ kind: "Probe", types, scopes: [] }, TYPES, SCOPES);

describe("a probe concerns us", () => {
  it("when it asks for no type, or for types that are ours", () => {
    expect(typed()).to.equal(true);
    for (const type of TYPES) expect(typed(type)).to.equal(true);
    expect(typed(...TYPES)).to.equal(true);
  });

  it("not when it asks for one that is not ours, by name or namespace", () => {
    expect(typed({ ns: NETWORK_VIDEO_TRANSMITTER.ns, name: "NetworkVideoDisplay" })).to.equal(false);
    expect(typed({ ns: "urn:other", name: "Device" })).to.equal(false);
    expect(typed(DEVICE, { ns: "http://schemas.xmlsoap.org/ws/2006/02/devprof", name: "Printer" })).to.equal(false);
  });

  const scopes: readonly (readonly [scope: string, concerns: boolean])[] = [
    ["onvif://www.onvif.org", true],
    ["onvif://www.onvif.org/", true],
    ["ONVIF://WWW.onvif.ORG/location", true],
    ["onvif://www.onvif.org/location/country/Germany", true],
    ["onvif://www.onvif.org/location/country/Germany/", true],
    ["onvif://www.onvif.org/location/country/germany", false],
    ["onvif://www.onvif.org/location/coun", false],
    ["onvif://www.onvif.org/location/country/Germany/Berlin", false],
    ["onvif://www.onvif.org/name/Gate%20house", true],
    ["onvif://www.onvif.org/name/Gate house", false],
    ["onvif://www.example.org/location", false],
    ["http://www.onvif.org/location", false],
    ["onvif://www.onvif.org/location/../name", false],
    ["onvif://www.onvif.org/./location", false],
    ["onvif://www.onvif.org/location?x", false],
    ["", false],
    ["location", false],
  ];
  for (const [scope, concerns] of scopes)
    it(`${concerns ? "when" : "not when"} it asks for scope ${scope || "(empty)"}`, () => {
      expect(asked(scope)).to.equal(concerns);
      expect(asked(scope, `${WSD}/rfc3986`)).to.equal(concerns);
      expect(asked(scope, `${WSD}/rfc2396`)).to.equal(concerns);
    });

  it("by comparing whole scopes where it wants that, and not by rules that nobody knows", () => {
    const [first = ""] = SCOPES;
    expect(asked(first, `${WSD}/strcmp0`)).to.equal(true);
    expect(asked("onvif://www.onvif.org/name", `${WSD}/strcmp0`)).to.equal(false);
    expect(asked(first, `${WSD}/ldap`)).to.equal(false);
  });

  it("only when all its scopes are ours", () => {
    const both = (...asking: readonly string[]): boolean =>
      matches({ kind: "Probe", types: [DEVICE], scopes: asking }, TYPES, SCOPES);
    expect(both("onvif://www.onvif.org/name", "onvif://www.onvif.org/location")).to.equal(true);
    expect(both("onvif://www.onvif.org/name", "onvif://www.onvif.org/hardware")).to.equal(false);
  });

  it("whatever is asked, without ever failing", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string(), (scope, rule) => void asked(scope, rule)));
  });
});

describe("the budget of answers", () => {
  it("is twelve messages of one sender in four seconds", async () => {
    const clock = new VirtualClock();
    const budget = new AnswerBudget(clock);
    const admitted = (sender: string): number => Array.from({ length: 20 }).filter(() => budget.admit(sender)).length;
    expect([admitted("192.0.2.1"), admitted("192.0.2.1"), admitted("192.0.2.2")]).to.deep.equal([12, 0, 12]);
    await clock.advance(4 * SECOND);
    expect(admitted("192.0.2.1")).to.equal(12);
  });

  it("is a hundred messages a second of all senders, however many there are", async () => {
    const clock = new VirtualClock();
    const budget = new AnswerBudget(clock);
    const admitted = (): number =>
      Array.from({ length: 5000 }, (_, index) => budget.admit(`192.0.${index >> 8}.${index & 255}`)).filter(Boolean)
        .length;
    expect([admitted(), admitted()]).to.deep.equal([100, 0]);
    await clock.advance(SECOND);
    expect(admitted()).to.equal(100);
  });
});
