import { expect } from "chai";
import { Throttle } from "../../auth/throttle.ts";
import { MINUTE, SECOND } from "../../base/units.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { kindOf } from "./fixture.ts";

describe("the throttle", () => {
  let clock: VirtualClock;
  let throttle: Throttle;
  beforeEach(() => {
    clock = new VirtualClock();
    throttle = new Throttle(clock);
  });
  const fail = (times: number, address = "192.0.2.1", account = "a"): void => {
    for (let n = 0; n < times; n += 1) throttle.failed(address, account);
  };
  const admits = async (address = "192.0.2.1", account = "a"): Promise<boolean> =>
    (await kindOf(() => throttle.admit(address, account))) === "none";

  it("lets five failures pass, loopback like others", async () => {
    for (const address of ["192.0.2.1", "127.0.0.1", "::1"]) {
      fail(5, address);
      expect(await admits(address)).to.equal(true);
      fail(1, address);
      expect(await admits(address)).to.equal(false);
    }
  });
  it("doubles the wait up to a minute", async () => {
    fail(5);
    const waits: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      fail(1);
      let waited = 0;
      while (!(await admits())) {
        await clock.advance(SECOND);
        waited += 1;
      }
      waits.push(waited);
    }
    expect(waits.slice(0, 5)).to.deep.equal([1, 2, 4, 8, 16]);
    expect(waits).to.deep.equal(waits.toSorted((a, b) => a - b));
    expect(waits.at(-1)).to.equal(60);
  });
  it("forgives one failure a minute", async () => {
    fail(5);
    await clock.advance(5 * MINUTE);
    fail(5);
    expect(await admits()).to.equal(true);
  });
  it("holds up the account from there, not from elsewhere, nor others from there", async () => {
    fail(8);
    expect([await admits(), await admits("192.0.2.2"), await admits("192.0.2.1", "b")]).to.deep.equal([
      false,
      true,
      true,
    ]);
  });
  it("holds up an address that tries many accounts", async () => {
    for (let n = 0; n < 21; n += 1) fail(1, "192.0.2.1", `name${n}`);
    expect([await admits("192.0.2.1", "new"), await admits("192.0.2.2", "new")]).to.deep.equal([false, true]);
  });
  it("forgets the account's failures at a success, not the address's", async () => {
    fail(8);
    throttle.succeeded("192.0.2.1", "a");
    expect(await admits()).to.equal(true);
    for (let n = 0; n < 20; n += 1) {
      fail(1);
      throttle.succeeded("192.0.2.1", "a");
    }
    expect(await admits("192.0.2.1", "other")).to.equal(false);
  });
  it("takes the addresses of one IPv6 /64 for one, in every spelling", async () => {
    for (const address of [
      "2001:db8::1",
      "2001:db8::ffff:2",
      "2001:db8:0:0:1:2:3:4",
      "2001:db8::3",
      "2001:db8::4",
      "2001:db8::5",
    ])
      fail(1, address);
    expect(await admits("2001:db8::abcd")).to.equal(false);
    expect(await admits("2001:db8:0:1::1")).to.equal(true);
  });
  it("remembers a bounded number of addresses", async () => {
    fail(8);
    for (let n = 0; n < 20_000; n += 1) fail(1, `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, "b");
    expect(await admits()).to.equal(true);
  });
});
