import { expect } from "chai";
import { CAMERA_LOGIN, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type ClientNetwork, clientNetwork } from "../support/client-network.ts";
import { expectGoesOn, expectMarkedFootage, HEIGHT, WIDTH, watchOverUdp } from "../support/lossy-footage.ts";
import { losePackets } from "../support/packet-loss.ts";
import { peer } from "../support/peer.ts";
import { PROGRAM, type Running, startViaduct } from "../support/viaduct.ts";

const PERCENT = 2;

describe("a network on which the kernel loses two datagrams in a hundred", () => {
  let network: ClientNetwork;
  let t: TestBridge | undefined;
  let camera: Running | undefined;

  beforeEach(function () {
    network = clientNetwork(this);
  });
  afterEach(async () => {
    await t?.close();
    await camera?.stop();
    [t, camera] = [undefined, undefined];
    network?.close();
  });

  it("between a camera and the bridge: each loss is marked, and what follows a key frame is recorded whole, at its time", async function () {
    const ffmpeg = peer(this, "ffmpeg");
    const loss = losePackets(this, network, "leaving", PERCENT);
    const { otherAddress } = network;
    const options = { address: otherAddress, user: CAMERA_LOGIN.user, size: `${WIDTH}x${HEIGHT}`, quirk: "udp-only" };
    camera = startViaduct(
      ["sim", "camera", ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])],
      {
        command: [...network.command, process.execPath, PROGRAM],
        env: { VIADUCT_SIM_PASSWORD: CAMERA_LOGIN.password.reveal() },
      },
    );
    await camera.until(/^RTSP .*\n/m);
    const [, rtsp = ""] = /^RTSP {3}(rtsp\S+)$/m.exec(camera.out()) ?? [];
    t = await startTestBridge({ network: otherAddress.split(".").slice(0, 3).join(".") });
    const login = await t.account();
    const how = { name: "Far away", credentials: CAMERA_LOGIN, plainText: true };
    const { id } = await t.bridge.parts.discovery.adopt({ rtsp }, how);
    const source = t.cameras(login).find(({ info }) => info.id === id)?.recorded;
    if (source === undefined) throw new Error("no camera");
    await expectMarkedFootage(ffmpeg, source, false);
    expect(loss.dropped(), "dropped").to.be.above(0);
  });

  it("between the bridge and a client: it knows what is missing, and goes on with a key frame", async function () {
    const gst = network.peer(this, "gst-launch-1.0");
    const loss = losePackets(this, network, "coming", PERCENT);
    t = await startTestBridge({ clientAddress: network.address });
    const id = await t.adopt(await t.camera({ width: WIDTH, height: HEIGHT }));
    expectGoesOn(await watchOverUdp(gst, t.rtsp(await t.account(), `live/${id}`), false), false);
    expect(loss.dropped(), "dropped").to.be.above(0);
  });
});
