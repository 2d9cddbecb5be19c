import { expect } from "chai";
import { multicastAddress } from "../../bridge/client-side/multicast-plan.ts";
import { parseGroupRange } from "../../net/multicast.ts";
import { multicastPorts } from "../../rtsp/server/multicast.ts";

const groups = parseGroupRange("239.192.0.0/20") ?? { first: 0, count: 0 };
const plan = { groups, port: 20_000, ttl: 4 };

describe("the multicast address of a camera", () => {
  it("follows from its number alone, with ports that no other one has", () => {
    expect(multicastAddress(plan, 1)).to.deep.equal({ address: "239.192.0.0", port: 20_000, ttl: 4 });
    expect(multicastAddress(plan, 257)).to.deep.equal({ address: "239.192.1.0", port: 24_096, ttl: 4 });
    const taken = new Set<number>();
    for (let number = 1; number <= 1000; number += 1) {
      const address = multicastAddress(plan, number) ?? { address: "", port: 0, ttl: 0 };
      for (let track = 0; track < 8; track += 1)
        for (const port of multicastPorts(address, track) ?? []) taken.add(port);
    }
    expect(taken.size).to.equal(16_000);
    expect(Math.max(...taken)).to.be.below(65_536);
  });

  it("is none where the range is used up", () => {
    expect(multicastAddress({ ...plan, groups: { ...groups, count: 2 } }, 2)?.address).to.equal("239.192.0.1");
    expect(multicastAddress({ ...plan, groups: { ...groups, count: 2 } }, 3)).to.equal(undefined);
  });
});
