import { expect } from "chai";
import type { UnixMillis } from "../../base/units.ts";
import { PacketGroup } from "../../media/group.ts";
import type { RecordedSource } from "../../media/source.ts";
import { keyFrameAt } from "../../web/key-frame.ts";
import { NumberedFrames } from "../support/numbered-frames.ts";
import { START_MS } from "../support/recorder-samples.ts";

const frames = new NumberedFrames();
const ASKED = (START_MS + 500) as UnixMillis;
const sound = { ...frames.track, kind: "audio", codec: "unknown" } as const;
const soundAt = (ms: number): PacketGroup => {
  const at = (START_MS + ms) as UnixMillis;
  return new PacketGroup({ track: 1, rtpTime: 0, at, quality: "camera", key: false, discontinuity: false }, []);
};

describe("a key frame of a recording", () => {
  const find = async (groups: Iterable<PacketGroup>): ReturnType<typeof keyFrameAt> => {
    const source: Pick<RecordedSource, "tracks" | "read"> = {
      tracks: () => Promise.resolve([frames.track, sound]),
      async *read() {
        yield* groups;
      },
    };
    return keyFrameAt(source as RecordedSource, ASKED, new AbortController().signal);
  };

  it("is found behind sound that is a little later", async () => {
    expect(await find([soundAt(900), frames.group(0)])).to.include({ at: START_MS });
  });

  it("is not looked for where sound goes on without a picture", async () => {
    let taken = 0;
    function* endless(): Iterable<PacketGroup> {
      for (; ; taken += 1) yield soundAt(taken * 20);
    }
    expect(await find(endless())).to.equal(undefined);
    expect(taken).to.be.below(100);
  });
});
