import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import type { AccessRequest } from "../../../auth/access.ts";
import type { Principal } from "../../../auth/principal.ts";
import { Fault, type FaultKind } from "../../../base/fault.ts";
import { createLog } from "../../../base/log.ts";
import { Metrics } from "../../../base/metrics.ts";
import { unixMillis } from "../../../base/units.ts";
import { OnvifServer } from "../../../onvif/server/dispatch.ts";
import { serve } from "../../../onvif/server/service.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import { operation, service } from "../../../wsdl/service.ts";
import { string } from "../../../wsdl/simple.ts";
import { officialValidator } from "../../support/official-schemas.ts";
import { read, requestOf } from "../../support/onvif-client.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const SECRETIVE = "/etc/shadow of alice";

const TABLE = service(
  "tds",
  {
    GetWsdlUrl: operation("PRE_AUTH", {}, { WsdlUrl: string }),
    GetEndpointReference: operation("READ_MEDIA", {}, { GUID: string }),
    GetHostname: operation("PRE_AUTH", {}, { HostnameInformation: string }),
  },
  { UNRECOVERABLE: "SystemReboot", READ_SYSTEM: "GetDynamicDNS" },
);

const WHO: Principal = {
  accountId: "1",
  name: "vms",
  kind: "integration",
  grants: [],
  now: () => unixMillis(0),
  revoked: new AbortController().signal,
};

describe("the ONVIF dispatcher", () => {
  let server: Server;
  let lines: string[];
  const valid = officialValidator();
  /** What the handlers do. */
  let act: (base: unknown, gone: AbortSignal) => string | Promise<string>;
  let demanded: AccessRequest[];
  let mayDo: boolean;

  beforeEach(async () => {
    lines = [];
    demanded = [];
    mayDo = true;
    const onvif = new OnvifServer({
      services: [
        serve("device_service", TABLE, {
          GetWsdlUrl: async (_, { base, gone }) => ({ WsdlUrl: await act(base, gone) }),
          GetEndpointReference: {
            needs: "live",
            camera: () => "gate",
            run: async (_, { base, gone }) => ({ GUID: await act(base, gone) }),
          },
          GetHostname: () => ({}) as { HostnameInformation: string },
        }),
      ],
      authenticator: { challenges: () => ["Digest x"], takes: () => true, verify: () => Promise.resolve(WHO) },
      demand: (_, what) => {
        demanded.push(what);
        if (!mayDo) throw new Fault("denied", "no", { tell: "not allowed" });
      },
      publicHosts: ["bridge.example", "[2001:db8::1]"],
      clock: new VirtualClock(),
      log: createLog("info", { write: (line) => void lines.push(line) }),
      metrics: new Metrics(),
    });
    server = createServer((incoming, response) => void onvif.handle(incoming, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function call(name: string, host?: string): Promise<ReturnType<typeof read>> {
    const { port } = server.address() as AddressInfo;
    const sent = request({
      host: "127.0.0.1",
      port,
      method: "POST",
      path: "/onvif/device_service",
      agent: false,
      headers: { "content-type": "application/soap+xml", ...(host === undefined ? {} : { host }) },
    });
    sent.end(requestOf("tds", name));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const challenges = response.headersDistinct["www-authenticate"] ?? [];
    const body = Buffer.concat(chunks).toString();
    return read({ status: response.statusCode ?? 0, headers: response.headers, challenges, body });
  }

  /** What each kind of Fault is to a client. */
  const KINDS: Readonly<Record<FaultKind, readonly [status: number, code: string, subcode: string]>> = {
    unauthenticated: [401, "Sender", "NotAuthorized"],
    denied: [400, "Sender", "NotAuthorized"],
    "not-found": [400, "Sender", "InvalidArgVal"],
    invalid: [400, "Sender", "InvalidArgVal"],
    "wrong-state": [400, "Sender", "OperationProhibited"],
    busy: [500, "Receiver", "Action"],
    unavailable: [500, "Receiver", "Action"],
    internal: [500, "Receiver", "Action"],
  };
  for (const [kind, [status, code, subcode]] of Object.entries(KINDS))
    it(`turns a Fault "${kind}" into a SOAP fault that says no more than it may`, async () => {
      act = () => {
        throw new Fault(kind as FaultKind, SECRETIVE);
      };
      const answer = await call("GetWsdlUrl");
      expect(answer.fault).to.deep.include({ code, subcodes: [subcode] });
      expect(answer.status).to.equal(status);
      expect(answer.body).not.to.include(SECRETIVE);
      expect(answer.challenges).to.have.length(status === 401 ? 1 : 0);
      expect(valid(answer.body)).to.deep.equal([]);
      expect(lines.join("")).to.include(SECRETIVE);
    });

  it("tells what a Fault wants to be told, whatever characters are in it", async () => {
    act = () => {
      throw new SoapFault("invalid", "Sender", ["InvalidArgVal", "NoProfile"], `<&"' ]]>\u0000\u{1F3A5}`);
    };
    const { fault, body } = await call("GetWsdlUrl");
    expect(fault).to.deep.equal({
      code: "Sender",
      subcodes: ["InvalidArgVal", "NoProfile"],
      reason: `<&"' ]]>\uFFFD\u{1F3A5}`,
    });
    expect(valid(body)).to.deep.equal([]);
  });

  it("does not tell of its own bugs, and logs them whole", async () => {
    act = () => {
      throw new TypeError(SECRETIVE);
    };
    const { fault, body } = await call("GetWsdlUrl");
    expect(fault).to.deep.equal({ code: "Receiver", subcodes: ["Action"], reason: "Internal error" });
    expect(body).not.to.include(SECRETIVE);
    expect(lines.join("")).to.include("TypeError").and.to.include(SECRETIVE);
  });

  it("answers an internal fault rather than half a message when a required value is missing", async () => {
    const { fault, status } = await call("GetHostname");
    expect([status, fault?.code]).to.deep.equal([500, "Receiver"]);
    expect(lines.join("")).to.include("without HostnameInformation");
  });

  it("runs a handler that needs a right only when it is held", async () => {
    let ran = 0;
    act = () => {
      ran += 1;
      return "done";
    };
    expect((await call("GetEndpointReference")).status).to.equal(200);
    mayDo = false;
    const { fault, status } = await call("GetEndpointReference");
    expect([status, fault?.subcodes]).to.deep.equal([400, ["NotAuthorized"]]);
    expect(ran).to.equal(1);
    const what = { right: "live", camera: "gate", interface: "onvif", address: "127.0.0.1" };
    expect(demanded).to.deep.equal([what, what]);
  });

  it("says that an operation is not supported only to who might do it", async () => {
    expect((await call("GetDynamicDNS")).fault).to.deep.include({ code: "Receiver", subcodes: ["ActionNotSupported"] });
    expect((await call("SystemReboot")).fault?.subcodes).to.deep.equal(["ActionNotSupported"]);
    mayDo = false;
    expect((await call("SystemReboot")).fault?.subcodes).to.deep.equal(["NotAuthorized"]);
    expect(demanded.map(({ right }) => right)).to.deep.equal(["manage-accounts", "manage-accounts"]);
  });

  it("takes the client's word for our name only where the name is ours", async () => {
    act = (base) => JSON.stringify(base);
    const { port } = server.address() as AddressInfo;
    const ours = { host: "127.0.0.1", port, tls: false, localAddress: "127.0.0.1", prefix: "" };
    const cases: readonly (readonly [string, object])[] = [
      ["bridge.example", { ...ours, host: "bridge.example", port: 80 }],
      ["BRIDGE.example:8080", { ...ours, host: "bridge.example", port: 8080 }],
      ["[2001:db8::1]:81", { ...ours, host: "[2001:db8::1]", port: 81 }],
      ["evil.example", ours],
      ["bridge.example@evil.example", ours],
      ["bridge.example.evil.example", ours],
      ["localhost", ours],
    ];
    for (const [host, base] of cases) {
      const { element } = await call("GetWsdlUrl", host);
      expect(JSON.parse(element.children[0]?.text ?? "{}"), host).to.deep.equal(base);
    }
  });

  it("tells a handler that its client has gone", async () => {
    const { port } = server.address() as AddressInfo;
    const went = new Promise<void>((resolve) => {
      act = (_, gone) =>
        new Promise((_done, reject) => {
          gone.addEventListener("abort", () => {
            resolve();
            reject(new Fault("unavailable", "the client has gone"));
          });
          sent.destroy();
        });
    });
    const sent = request({
      host: "127.0.0.1",
      port,
      method: "POST",
      path: "/onvif/device_service",
      headers: { "content-type": "application/soap+xml" },
    });
    sent.on("error", () => undefined);
    sent.end(requestOf("tds", "GetWsdlUrl"));
    await went;
  });

  it("logs a client's mistake once a minute, not each time", async () => {
    act = () => {
      throw new Fault("invalid", "again");
    };
    for (let count = 0; count < 5; count += 1) await call("GetWsdlUrl");
    expect(lines.filter((line) => line.includes("again"))).to.have.length(1);
  });
});
