import { expect } from "chai";
import { Demand, DemandedSource } from "../../bridge/camera-side/demand.ts";
import type { LiveSource } from "../../media/source.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("the demand for a stream", () => {
  let clock: VirtualClock;
  let told: string[];
  let demand: Demand;

  beforeEach(() => {
    clock = new VirtualClock();
    told = [];
    demand = new Demand({ clock, lingerMs: 10_000, begin: () => told.push("begin"), end: () => told.push("end") });
  });
  afterEach(() => {
    demand.close();
    expect(clock.pending, "timers that were left").to.equal(0);
  });

  it("begins with the first of those who need it, and ends ten seconds after the last", async () => {
    const release = [demand.hold(), demand.hold(), demand.hold()];
    expect(told).to.deep.equal(["begin"]);
    for (const one of release) one();
    await clock.advance(9999);
    expect(told).to.deep.equal(["begin"]);
    await clock.advance(1);
    expect(told).to.deep.equal(["begin", "end"]);
  });

  it("goes on where somebody comes back in time", async () => {
    demand.hold()();
    await clock.advance(9000);
    demand.hold();
    await clock.advance(60_000);
    expect(told).not.to.include("end");
  });

  it("is let go once by each, however often they say so", async () => {
    const release = demand.hold();
    demand.hold();
    release();
    release();
    await clock.advance(60_000);
    expect(told).to.deep.equal(["begin"]);
  });

  it("neither begins nor ends once it is closed", async () => {
    const release = demand.hold();
    demand.close();
    release();
    demand.hold();
    await clock.advance(60_000);
    expect(told).to.deep.equal(["begin"]);
  });

  it("is that of those who wait for the stream, whether it comes or not, and of those who have joined", async () => {
    let flows = false;
    const source: LiveSource = {
      tracks: [],
      ready: () => (flows ? Promise.resolve() : Promise.reject(new Error("never"))),
      join: () => () => told.push("left"),
      requestKey: () => told.push("key"),
      ssrc: () => 1,
    };
    const demanded = new DemandedSource(source, demand);
    expect(await demanded.ready(1000).catch(() => "refused")).to.equal("refused");
    flows = true;
    await demanded.ready(1000);
    const leave = demanded.join({ deliver: () => undefined });
    await clock.advance(60_000);
    expect(told).not.to.include("end");
    demanded.requestKey();
    expect(told).to.include("key");
    leave();
    await clock.advance(10_000);
    expect(told.slice(-2)).to.deep.equal(["left", "end"]);
  });
});
