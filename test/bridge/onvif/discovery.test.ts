import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../../base/clock.ts";
import { silentLog } from "../../../base/log.ts";
import { type Bridge, startBridge } from "../../../bridge/bridge.ts";
import { settingsSchema } from "../../../bridge/settings.ts";
import { type DiscoveryMessage, GROUP_V4, parseMessage, printMessage } from "../../../discovery/message.ts";
import { freeUdpPort } from "../../support/bridge.ts";
import { requestOf } from "../../support/onvif-client.ts";

describe("a whole bridge that clients may discover", () => {
  let folder: string;
  let bridge: Bridge;
  let port: number;
  let group: Socket;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-discovery-"));
    port = await freeUdpPort();
    group = createSocket({ type: "udp4", reuseAddr: true });
    group.bind({ address: GROUP_V4, port });
    await once(group, "listening");
    group.addMembership(GROUP_V4, "127.0.0.1");
  });
  after(async () => {
    await bridge?.close();
    group.close();
    await rm(folder, { recursive: true, force: true });
  });

  const heard = async (socket: Socket): Promise<DiscoveryMessage> => {
    const [datagram] = (await once(socket, "message")) as [Buffer];
    return parseMessage(datagram);
  };

  it("says Hello with the address of its device service, answers there, and says Bye", async () => {
    const greeting = heard(group);
    bridge = await startBridge({
      settings: settingsSchema.parse({
        dataFolder: folder,
        cameraSide: { interfaces: ["127.9.9.0/24"] },
        clientSide: {
          addresses: ["127.0.0.1"],
          web: { port: 0 },
          rtsps: { port: 0 },
          onvifHttp: { enabled: true, port: 0 },
          discovery: { enabled: true, port },
        },
      }),
      version: "1.0.0",
      clock: systemClock,
      log: silentLog(),
    });
    const { doors } = bridge.parts.addresses();
    const addresses = [
      `http://127.0.0.1:${doors.http}/onvif/device_service`,
      `https://127.0.0.1:${doors.https}/onvif/device_service`,
    ];
    const hello = await greeting;
    expect(hello.body).to.have.property("kind", "Hello");
    expect(hello.body).to.have.nested.property("device.xaddrs").that.deep.equals(addresses);

    const client = createSocket("udp4");
    client.bind(0, "127.0.0.1");
    const answer = heard(client);
    client.send(
      printMessage({ messageId: "urn:1", body: { kind: "Probe", types: [], scopes: [] } }),
      port,
      "127.0.0.1",
    );
    const { body } = await answer;
    client.close();
    expect(body).to.have.nested.property("matches[0].xaddrs").that.deep.equals(addresses);
    const response = await fetch(addresses[0] ?? "", {
      method: "POST",
      headers: { "content-type": "application/soap+xml" },
      body: requestOf("tds", "GetSystemDateAndTime"),
    });
    expect(response.status).to.equal(200);
    expect(await response.text()).to.include("GetSystemDateAndTimeResponse");

    const farewell = heard(group);
    await bridge.close();
    expect((await farewell).body.kind).to.equal("Bye");
  });
});
