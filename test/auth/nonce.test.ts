import { expect } from "chai";
import { Nonces } from "../../auth/scheme/nonce.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const HERE = "192.0.2.7";

describe("nonces", () => {
  it("that were used and are forgotten since, for so many others came, are used no second time", async () => {
    const clock = new VirtualClock();
    const nonces = new Nonces(clock, "rtsp");
    const first = nonces.make(HERE);
    expect(nonces.use(first, HERE, 1)).to.equal(true);
    await clock.advance(1);
    const others = Array.from({ length: 50_000 }, () => nonces.make(HERE));
    expect(others.every((one) => nonces.use(one, HERE, 1))).to.equal(true);
    expect(nonces.use(first, HERE, 1)).to.equal(false);
    expect(nonces.use(others.at(-1) ?? "", HERE, 2)).to.equal(true);
    expect(nonces.use(nonces.make(HERE), HERE, 1)).to.equal(true);
  });
});
