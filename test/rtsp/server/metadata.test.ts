import { expect } from "chai";
import type { Track } from "../../../media/track.ts";
import { AUDIO, type Client, groupOf, onStage, type Stage, VIDEO } from "./stage.ts";

const METADATA: Track = {
  ...AUDIO,
  kind: "metadata",
  codec: "VND.ONVIF.METADATA",
  encoding: "vnd.onvif.metadata",
  payloadType: 107,
  clockRateHz: 90_000,
};
/** An account without the right. */
const WITHOUT = "mute";
const TRANSPORT = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1";

describe("metadata of a presentation", () => {
  let stage: Stage;
  let client: Client;

  onStage((made, first) => {
    stage = made;
    client = first;
  });

  it("are described and set up for who may have them", async () => {
    stage.hub.describe([VIDEO, METADATA, AUDIO], [1, 2, 3]);
    const { body } = await client.ask("DESCRIBE", "/live/gate");
    expect([...body.matchAll(/^m=(\w+)/gm)].map(([, kind]) => kind)).to.deep.equal(["video", "application", "audio"]);
    expect((await client.ask("SETUP", "/live/gate/track1", [TRANSPORT])).status).to.equal(200);
  });

  it("are left out for others, who keep the numbers of what they may have", async () => {
    stage.hub.describe([VIDEO, METADATA, AUDIO], [1, 2, 3]);
    const { body } = await client.ask("DESCRIBE", "/live/gate", [], WITHOUT);
    expect([...body.matchAll(/^a=control:(track\d)/gm)].map(([, control]) => control)).to.deep.equal([
      "track0",
      "track2",
    ]);
    const refused = await client.ask("SETUP", "/live/gate/track1", [TRANSPORT], WITHOUT);
    expect([refused.status, refused.body]).to.deep.equal([403, "you may not have this camera's metadata\n"]);
    const reply = await client.ask("SETUP", "/live/gate/track2", [TRANSPORT], WITHOUT);
    expect(reply.status).to.equal(200);
  });

  it("do not stand in the way of who sets up the presentation's only other track by its own address", async () => {
    stage.hub.describe([VIDEO, METADATA], [1, 2]);
    const reply = await client.ask("SETUP", "/live/gate", [TRANSPORT], WITHOUT);
    expect(reply.status).to.equal(200);
    client.session = reply.header("session")?.split(";")[0];
    stage.hub.publish(groupOf(10));
    expect((await client.ask("PLAY", "/live/gate", [], WITHOUT)).status).to.equal(200);
    await client.until(() => client.numbers().includes(10));
  });
});
