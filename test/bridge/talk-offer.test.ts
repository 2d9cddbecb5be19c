import { expect } from "chai";
import type { Principal } from "../../auth/principal.ts";
import { asFault } from "../../base/fault.ts";
import type { BridgedCamera } from "../../bridge/camera.ts";
import { type TalkOptions, talkOffer } from "../../bridge/client-side/talk.ts";
import type { TalkOffer } from "../../rtsp/server/host.ts";
import { SPEAKER } from "../rtsp/server/stage.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("the speaker of a camera, for one client", () => {
  let right: AbortController;
  let leases: number;
  let taken: number;
  let busy: boolean;
  const failures: unknown[] = [];

  beforeEach(() => {
    right = new AbortController();
    leases = 0;
    taken = 0;
    busy = false;
    failures.length = 0;
  });

  const offer = async (): Promise<TalkOffer> => {
    const clock = new VirtualClock();
    const who: Principal = {
      accountId: "1",
      name: "talker",
      kind: "integration",
      grants: [{ right: "talk", cameras: "any", interfaces: "any" }],
      now: () => clock.now(),
      revoked: new AbortController().signal,
    };
    const speaker = {
      track: () => Promise.resolve(SPEAKER),
      take: () => {
        if (busy) throw new Error("busy");
        taken += 1;
        const close = (): void => {
          taken -= 1;
        };
        return { start: () => Promise.resolve(), push: () => undefined, close };
      },
    };
    const camera = { info: { id: "gate" }, speaker } as unknown as BridgedCamera;
    const watch: TalkOptions["watch"] = {
      open: () => camera,
      run: () => {
        leases += 1;
        const close = (): void => {
          leases -= 1;
        };
        return { ended: right.signal, maxAgeMs: Number.POSITIVE_INFINITY, showed: () => undefined, close };
      },
    };
    const made = await talkOffer({ who, camera, address: "::1", watch, audit: { record: () => undefined }, clock });
    if (made === undefined) throw new Error("no offer");
    return made;
  };

  it("is kept from others no longer than the right lasts, though nothing has been said", async () => {
    const talk = (await offer()).take((fault) => failures.push(fault));
    expect([taken, leases]).to.deep.equal([1, 1]);
    right.abort();
    expect(failures.map((fault) => asFault(fault).kind)).to.deep.equal(["denied"]);
    talk.close();
    expect([taken, leases]).to.deep.equal([0, 0]);
  });

  it("has nobody told of a right that ends later, and holds none for who does not get it", async () => {
    const made = await offer();
    made.take((fault) => failures.push(fault)).close();
    busy = true;
    expect(() => made.take((fault) => failures.push(fault))).to.throw("busy");
    right.abort();
    expect(failures).to.deep.equal([]);
    expect(leases).to.equal(0);
  });
});
