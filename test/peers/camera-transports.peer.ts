import { expect } from "chai";
import type { CameraInfo, TransportSetting } from "../../bridge/camera.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type ClientNetwork, clientNetwork } from "../support/client-network.ts";
import { GST_LOGIN, type GstCamera, startGstCamera } from "../support/gst-camera.ts";
import { type Peer, peer } from "../support/peer.ts";

describe("GStreamer's camera, by every transport", () => {
  let network: ClientNetwork;
  let t: TestBridge;
  let gst: GstCamera;
  let login: Login;

  before(async function () {
    network = clientNetwork(this);
    t = await startTestBridge({ network: network.address.replace(/\.\d+$/, "") });
    gst = await startGstCamera(this, { auth: true, network, multicast: "239.200.1.1" });
    login = await t.account();
  });
  after(async () => {
    await gst?.close();
    await t?.close();
    network?.close();
  });

  const infoOf = (id: string): CameraInfo => t.cameraOf(login, id).info;
  const decoded = async (ffmpeg: Peer, id: string): Promise<number> => {
    const url = t.rtsp(login, `live/${id}`);
    const { code, stdout, stderr } = await ffmpeg.run([
      "-v",
      "error",
      "-rtsp_transport",
      "tcp",
      "-i",
      url,
      "-frames:v",
      "50",
      "-map",
      "0:v",
      "-f",
      "framecrc",
      "-",
    ]);
    expect(code, stderr).to.equal(0);
    return stdout.toString().match(/^0,/gm)?.length ?? 0;
  };

  for (const transport of ["tcp", "udp", "http", "multicast"] as const satisfies readonly TransportSetting[])
    it(`is adopted for ${transport}, and every frame is decoded`, async function () {
      const ffmpeg = peer(this, "ffmpeg");
      const { id } = await t.bridge.parts.discovery.adopt(
        { rtsp: gst.url("h264aac").href },
        { name: transport, credentials: GST_LOGIN, transport, plainText: true },
      );
      try {
        await eventually(() => infoOf(id).streams[0].transport !== undefined);
        expect(infoOf(id).streams[0].transport).to.equal(transport);
        expect(await decoded(ffmpeg, id)).to.equal(50);
      } finally {
        await t.bridge.parts.discovery.remove(id);
      }
    });

  it("is known again over RTSPS by its key, and refused in words with another one", async function () {
    const ffmpeg = peer(this, "ffmpeg");
    let secure = await startGstCamera(this, { auth: true, tls: true, network });
    try {
      const { id } = await t.bridge.parts.discovery.adopt(
        { rtsp: secure.url("h264").href },
        { name: "secure", credentials: GST_LOGIN },
      );
      expect(await decoded(ffmpeg, id)).to.equal(50);
      const { port } = secure;
      await secure.close();
      // Each one makes a key of its own.
      secure = await startGstCamera(this, { auth: true, tls: true, network, port });
      await eventually(() => {
        const { connection } = infoOf(id);
        return connection.state === "offline" && /another certificate.*adopt it again/.test(connection.why);
      });
      await t.bridge.parts.discovery.remove(id);
    } finally {
      await secure.close();
    }
  });
});
