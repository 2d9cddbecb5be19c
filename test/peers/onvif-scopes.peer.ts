import { createSocket, type Socket } from "node:dgram";
import { on, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { type Bridge, startBridge } from "../../bridge/bridge.ts";
import { settingsSchema } from "../../bridge/settings.ts";
import { type DiscoveryMessage, GROUP_V4, parseMessage, printMessage } from "../../discovery/message.ts";
import { freeUdpPort } from "../support/bridge.ts";
import { officialFolder } from "../support/official-schemas.ts";
import { type Peer, pythonPeer } from "../support/peer.ts";

const SCRIPT = join(import.meta.dirname, "../support/onvif-scopes.py");
const NAME = "onvif://www.onvif.org/name/Harbour";
const PLACE = "onvif://www.onvif.org/location/country/germany";

describe("zeep with the official WSDL files as one that sets scopes of a whole bridge", () => {
  let python: Peer;
  let wsdl: string;
  let folder: string;
  let port: number;
  let group: Socket;
  let bridge: Bridge | undefined;

  before(async function () {
    python = pythonPeer(this, "zeep");
    wsdl = officialFolder(this);
    folder = await mkdtemp(join(tmpdir(), "viaduct-scopes-"));
    port = await freeUdpPort();
    group = createSocket({ type: "udp4", reuseAddr: true });
    group.bind({ address: GROUP_V4, port });
    await once(group, "listening");
    group.addMembership(GROUP_V4, "127.0.0.1");
  });
  after(async () => {
    await bridge?.close();
    group?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  const start = (): Promise<Bridge> =>
    startBridge({
      settings: settingsSchema.parse({
        dataFolder: folder,
        cameraSide: { interfaces: ["127.9.9.0/24"] },
        clientSide: {
          addresses: ["127.0.0.1"],
          web: { port: 0 },
          rtsps: { port: 0 },
          discovery: { enabled: true, port },
        },
      }),
      version: "1.0.0",
      clock: systemClock,
      log: silentLog(),
    });
  /** The first Hello from now on that has this scope. */
  const hello = async (scope: string): Promise<DiscoveryMessage> => {
    for await (const [datagram] of on(group, "message") as AsyncIterable<[Buffer]>) {
      const message = parseMessage(datagram);
      if (message.body.kind === "Hello" && message.body.device.scopes.includes(scope)) return message;
    }
    throw new Error("the group was closed");
  };
  const probed = async (scopes: readonly string[]): Promise<DiscoveryMessage> => {
    const client = createSocket("udp4");
    client.bind(0, "127.0.0.1");
    const answer = once(client, "message") as Promise<[Buffer]>;
    client.send(printMessage({ messageId: "urn:1", body: { kind: "Probe", types: [], scopes } }), port, "127.0.0.1");
    const [datagram] = await answer;
    client.close();
    return parseMessage(datagram);
  };

  it("sets, adds and removes them; discovery tells so, and finds the bridge by its place, also after a restart", async () => {
    bridge = await start();
    const { account, secret } = await bridge.parts.accounts.createIntegration({
      name: "installer",
      grants: [{ right: "manage-accounts", cameras: "any", interfaces: "any" }],
    });
    const told = hello(PLACE);
    const address = `https://localhost:${bridge.parts.addresses().doors.https}/onvif/device_service`;
    const args = [SCRIPT, wsdl, address, join(folder, "tls-cert.pem"), account.name, secret.reveal()];
    const { code, stdout, stderr } = await python.run(args);
    expect(code, stderr).to.equal(0);
    expect(JSON.parse(stdout.toString())).to.deep.equal({
      steps: [[], [NAME], [NAME, PLACE, "urn:example:1"], [NAME, PLACE]],
      removed: ["urn:example:1"],
      faults: {
        promise: ["OperationProhibited", "ScopeOverwrite"],
        fixed: ["OperationProhibited", "FixedScope"],
        gone: ["InvalidArgVal", "NoScope"],
        many: ["Action", "TooManyScopes"],
      },
    });
    expect((await told).body)
      .to.have.nested.property("device.scopes")
      .that.includes.members([NAME, PLACE]);
    await bridge.close();
    bridge = await start();
    expect((await probed([PLACE])).body)
      .to.have.nested.property("matches[0].scopes")
      .that.includes.members([NAME, PLACE]);
  });
});
