import { expect } from "chai";
import { Floods, type Summary } from "../../../auth/audit/floods.ts";
import type { AuditEntry } from "../../../auth/audit.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { ENTRY } from "./fixture.ts";

describe("what keeps floods out of the audit log", () => {
  let told: Summary[];
  let floods: Floods;
  beforeEach(() => {
    told = [];
    floods = new Floods(new VirtualClock(), (summary) => told.push(summary));
  });
  afterEach(() => floods.close());

  const refusal = (address: string, who: string): AuditEntry => ({
    who,
    address,
    action: "log-in",
    interface: "web",
    outcome: "failed",
  });

  it("remembers two thousand things, and tells early how often the one was that is forgotten for another", () => {
    floods.admit({ ...ENTRY, who: "first" });
    expect(floods.admit({ ...ENTRY, who: "first" })).to.equal(false);
    for (let count = 1; count < 2000; count += 1) floods.admit({ ...ENTRY, who: `another ${count}` });
    expect(told).to.deep.equal([]);
    floods.admit({ ...ENTRY, who: "one more" });
    expect(told.map(({ who, repeated }) => [who, repeated])).to.deep.equal([["first", 1]]);
    expect(floods.admit({ ...ENTRY, who: "first" })).to.equal(true);
  });

  it("remembers two thousand addresses, and begins anew with the one that is forgotten for another", () => {
    for (let guess = 0; guess < 60; guess += 1)
      expect(floods.admit(refusal("192.0.2.9", `guess ${guess}`))).to.equal(true);
    const others = Array.from({ length: 2000 }, (_, count) => `10.0.${count >> 8}.${count & 255}`);
    const last = others.pop() ?? "";
    for (const address of others) floods.admit(refusal(address, "guess"));
    expect(floods.admit(refusal("192.0.2.9", "guess 60"))).to.equal(false);
    floods.admit(refusal(last, "guess"));
    expect(floods.admit(refusal("192.0.2.9", "guess 61"))).to.equal(true);
  });

  it("counts the refusals of one IPv6 network together, for one machine has all its addresses", () => {
    const admitted = Array.from({ length: 500 }, (_, count) =>
      floods.admit(refusal(`2001:db8::${count.toString(16)}`, `guess ${count}`)),
    );
    expect(admitted.filter((one) => one)).to.have.length(60);
    expect(floods.admit(refusal("2001:db8:0:1::1", "guess"))).to.equal(true);
    floods.close();
    expect(told.map(({ who, address, repeated }) => [who, address, repeated])).to.deep.equal([
      ["(several)", "2001:db8:0:0::/64", 440],
    ]);
  });
});
