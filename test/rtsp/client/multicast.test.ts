import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { expect } from "chai";
import { asFault } from "../../../base/fault.ts";
import { MulticastLane } from "../../../rtsp/client/multicast-lane.ts";
import { freeUdpPort } from "../../support/bridge.ts";

const GROUP = "239.200.77.1";
const LOCAL = "127.0.0.1";
const CAMERA = "127.0.0.7";

describe("a track by multicast", () => {
  let lane: MulticastLane;
  let got: string[];
  const senders: Socket[] = [];

  beforeEach(() => {
    got = [];
    const sink = (packet: Buffer, rtcp: boolean): void =>
      void got.push(`${rtcp ? "rtcp" : "rtp"} ${packet.toString()}`);
    lane = new MulticastLane({ local: LOCAL, camera: CAMERA, sink, seen: () => undefined });
  });
  afterEach(() => {
    lane.close();
    for (const socket of senders.splice(0)) socket.close();
  });

  /** What somebody at `address` sends to the group, until it has left. */
  const send = async (address: string, port: number, text: string): Promise<void> => {
    const socket = createSocket("udp4");
    senders.push(socket);
    socket.bind(0, address);
    await once(socket, "listening");
    socket.setMulticastInterface(LOCAL);
    await new Promise<void>((resolve, reject) => {
      socket.send(text, port, GROUP, (error) => (error === null ? resolve() : reject(error)));
    });
  };
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await new Promise((resolve) => setImmediate(resolve));
  };

  it("takes what the camera sends to the group, and nothing of anybody else", async () => {
    const port = await freeUdpPort();
    await lane.agree(`RTP/AVP;multicast;destination=${GROUP};port=${port}-${port + 1};ttl=1`);
    await send("127.0.0.8", port, "forged");
    await send(CAMERA, port, "picture");
    await send("127.0.0.8", port + 1, "forged");
    await send(CAMERA, port + 1, "report");
    await until(() => got.length >= 2);
    expect(got.toSorted()).to.deep.equal(["rtcp report", "rtp picture"]);
  });

  const refused: readonly (readonly [answered: string | undefined, words: RegExp])[] = [
    [undefined, /names no group/],
    ["RTP/AVP;multicast", /names no group/],
    [`RTP/AVP;multicast;destination=${GROUP}`, /names no group/],
    ["RTP/AVP;unicast;client_port=5000-5001", /another way/],
    ["RTP/AVP/TCP;interleaved=0-1", /another way/],
    ["RTP/AVP;multicast;destination=10.0.0.1;port=5000-5001", /no group/],
    ["RTP/AVP;multicast;destination=224.0.0.1;port=5000-5001", /no group/],
    ["RTP/AVP;multicast;destination=239.0.0.0/8;port=5000-5001", /no group/],
    ["RTP/AVP;multicast;destination=example.com;port=5000-5001", /no group/],
    [`RTP/AVP;multicast;destination=${GROUP};port=53-54`, /no ports/],
    [`RTP/AVP;multicast;destination=${GROUP};port=5000-5000`, /no ports/],
  ];
  for (const [answered, words] of refused)
    it(`is refused where the camera answers ${answered ?? "nothing"}`, async () => {
      const fault = await lane.agree(answered).then(() => undefined, asFault);
      expect(fault?.tell)
        .to.match(/^the camera does not send over multicast: /)
        .and.match(words);
    });

  it("leaves the group when the session has ended while it was being joined", async () => {
    const port = await freeUdpPort();
    const agreed = lane.agree(`RTP/AVP;multicast;destination=${GROUP};port=${port}-${port + 1}`);
    lane.close();
    await agreed;
    await send(CAMERA, port, "late");
    await new Promise((resolve) => setImmediate(resolve));
    expect(got).to.deep.equal([]);
  });
});
