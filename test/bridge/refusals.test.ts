import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { expect } from "chai";
import { AccessFault } from "../../auth/access.ts";
import type { AuditEntry } from "../../auth/audit.ts";
import type { RefusedRequest } from "../../auth/refused.ts";
import { UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import { Fault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { SECOND } from "../../base/units.ts";
import { REFUSAL_CODES, type Refusal, readRefusals } from "../../bridge/client-side/refusal.ts";
import { explained, ofClient } from "../../bridge/client-side/refusal-words.ts";
import { Refusals } from "../../bridge/client-side/refusals.ts";
import { printEnvelope } from "../../wsdl/envelope.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { OnvifClient, requestOf } from "../support/onvif-client.ts";
import { onvifEndpoint } from "../support/onvif-endpoint.ts";
import { type OnvifTestSite, startOnvifSite } from "../support/onvif-site.ts";
import { peer } from "../support/peer.ts";
import { RtspsClient } from "../support/rtsps-client.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const brief = ({ code, account, accountState, detail }: Refusal): string =>
  [code, account ?? "-", accountState ?? "-", detail ?? "-"].join(" | ");

describe("what external systems were refused", () => {
  let folder: string;
  let clock: VirtualClock;
  let refusals: Refusals;
  let state: NonNullable<Refusal["accountState"]>;
  let audited: AuditEntry[];
  const open = (): Promise<Refusals> =>
    Refusals.open({
      file: join(folder, "refusals.json"),
      stateOf: () => state,
      audit: { record: (entry) => void audited.push(entry) },
      clock,
      log: silentLog(),
    });
  const wrong = (more: Partial<RefusedRequest> = {}): void =>
    refusals.refused({
      fault: new UnauthenticatedFault("wrong", { account: "vms" }),
      interface: "onvif",
      address: "10.2.0.9",
      what: "tds:GetUsers",
      ...more,
    });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-refusals-"));
    clock = new VirtualClock();
    state = "integration";
    audited = [];
    refusals = await open();
  });
  afterEach(async () => {
    await refusals.close();
    expect(clock.pending, "timers").to.equal(0);
    await rm(folder, { recursive: true, force: true });
  });

  it("is counted where it is the same, with its first and its last time", async () => {
    wrong();
    await clock.advance(60 * SECOND);
    wrong();
    const [only, ...others] = refusals.list();
    expect(others).to.deep.equal([]);
    expect(only).to.deep.include({ count: 2, code: "wrong-secret", account: "vms", accountState: "integration" });
    expect(Number(only?.last) - Number(only?.first)).to.equal(60 * SECOND);
  });

  it("is in a file for its owner alone within five seconds, and there after a restart", async () => {
    const file = join(folder, "refusals.json");
    wrong();
    await clock.advance(5 * SECOND);
    await refusals.close();
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    const kept = await readRefusals(file);
    expect(kept).to.deep.equal(refusals.list());
    refusals = await open();
    expect(refusals.list()).to.deep.equal(kept);
  });

  for (const text of ["", "{", "[1]", "[null]", '[{"code":"wrong-secret"}]', "x".repeat(1_000_001)])
    it(`begins anew where the file is not ours: ${text.slice(0, 30)}`, async () => {
      await writeFile(join(folder, "refusals.json"), text);
      refusals = await open();
      expect(refusals.list()).to.deep.equal([]);
    });

  it("is no more than so much, whatever strangers do, and their flood does not push out others", async () => {
    wrong();
    for (let count = 0; count < 3000; count += 1)
      wrong({
        fault: new UnauthenticatedFault("x", { account: `guess ${count} ${"x".repeat(1000)}` }),
        address: "10.2.0.66",
      });
    expect(refusals.list()).to.have.length(26);
    for (let count = 0; count < 3000; count += 1) wrong({ address: `10.3.${count >> 8}.${count & 255}` });
    expect(refusals.list()).to.have.length(500);
    await clock.advance(5 * SECOND);
    await refusals.close();
    expect((await readFile(join(folder, "refusals.json"))).length).to.be.below(1_000_000);
  });

  it("holds nothing that a terminal or a reader takes for more than text, and no more bytes in the file for it", async () => {
    const account = "a\u{1b}[2J\u{9b}1m\r\nb\u{202e}c\u{2028}";
    wrong({ fault: new UnauthenticatedFault("x", { account, failure: "scheme", detail: account }), what: account });
    const [only] = refusals.list();
    const kept = "a\u{fffd}[2J\u{fffd}1m\u{fffd}\u{fffd}b\u{fffd}c\u{fffd}";
    expect([only?.account, only?.detail, only?.what]).to.deep.equal([kept, kept, kept]);
    for (let count = 0; count < 500; count += 1) {
      const odd = `${count}${"\u{1}".repeat(500)}`;
      const fault = new UnauthenticatedFault("x", { account: odd, failure: "scheme", detail: odd });
      wrong({ fault, what: odd, address: `10.3.${count >> 8}.${count & 255}` });
    }
    await clock.advance(5 * SECOND);
    await refusals.close();
    expect(await readRefusals(join(folder, "refusals.json"))).to.have.length(500);
  });

  it("has words for every code, with what to do", () => {
    const at = clock.now();
    const base = { interface: "onvif", address: "10.2.0.9", what: "tds:X", first: at, last: at, count: 1 } as const;
    const all = REFUSAL_CODES.map((code) => explained({ ...base, code, account: "vms" }));
    for (const { says, next, code } of all) {
      expect(says.length, code).to.be.greaterThan(15);
      expect(next.length, code).to.be.greaterThan(10);
      expect(`${says} ${next}`, code).not.to.include("undefined");
    }
    expect(new Set(all.map(({ says }) => says)).size).to.equal(all.length);
    const states = (["unknown", "disabled", "not-armed", "person", "integration"] as const).map(
      (accountState) => explained({ ...base, code: "wrong-secret", account: "vms", accountState }).says,
    );
    expect(new Set(states).size).to.equal(5);
    expect(explained({ ...base, code: "clock-off", account: "vms", detail: "-420" }).says).to.include("ahead by 420 s");
  });

  it("stands in the audit log, too, where a system came that is not armed", () => {
    wrong();
    expect(audited).to.deep.equal([]);
    state = "not-armed";
    wrong();
    wrong({ fault: new Fault("busy", "x"), who: "vms" });
    const entry = { who: "vms", action: "log-in", interface: "onvif", address: "10.2.0.9", outcome: "denied" };
    expect(audited).to.deep.equal([{ ...entry, why: "its account is not armed" }]);
    expect(refusals.list().find(({ code }) => code === "wrong-secret")).to.include({ accountState: "not-armed" });
  });

  it("is told of one client by its name or its address", () => {
    wrong();
    wrong({ address: "10.2.0.10", who: "psim", fault: new Fault("busy", "x") });
    expect(ofClient(refusals.list(), "VMS").map(brief)).to.deep.equal(["wrong-secret | vms | integration | -"]);
    expect(ofClient(refusals.list(), "10.2.0.10")).to.have.length(1);
    expect(ofClient(refusals.list(), undefined)).to.have.length(2);
    expect(ofClient(refusals.list(), "nobody")).to.deep.equal([]);
  });

  it("names the right, the camera and the nearest miss", () => {
    const who = { name: "vms" } as ConstructorParameters<typeof AccessFault>[1];
    const asked = { right: "live", camera: "gate", interface: "rtsp" } as const;
    wrong({ fault: new AccessFault("denied", who, asked, "grant of live outside its hours"), who: "vms" });
    expect(refusals.list()[0]).to.deep.include({ code: "no-right", right: "live", camera: "gate" });
    expect(explained(refusals.list()[0] as Refusal).says).to.equal(
      `"vms" may not live with camera gate through onvif: grant of live outside its hours`,
    );
  });

  describe("at the ONVIF services", () => {
    let site: OnvifTestSite;
    beforeEach(async () => {
      site = await startOnvifSite({ clock, refused: (refused) => refusals.refused(refused) });
    });
    afterEach(() => site.close());

    const setup = `<trt:StreamSetup><tt:Stream>RTP-Multicast</tt:Stream><tt:Transport><tt:Protocol>UDP</tt:Protocol></tt:Transport></trt:StreamSetup>`;
    const rows: readonly (readonly [
      string,
      (client: OnvifClient, login: { name: string; secret: string }) => Promise<unknown>,
      string,
    ])[] = [
      ["a log-in that is right", (client) => client.call("tds", "GetDeviceInformation"), ""],
      ["a digest client's first request", () => new OnvifClient(site).call("tds", "GetDeviceInformation"), ""],
      [
        "a wrong secret",
        (_, { name }) => new OnvifClient(site, { name, secret: "x" }).call("tds", "GetScopes"),
        "wrong-secret vms-1",
      ],
      [
        "a clock that is off",
        async (_, login) => {
          const late = { ...site, clock: new VirtualClock(clock.now()) };
          await late.clock.advance(7 * 60 * SECOND);
          await new OnvifClient(late, login, "token").call("tds", "GetScopes");
        },
        "clock-off vms-1 -420",
      ],
      [
        "a transport that is off",
        (client) => client.call("trt", "GetStreamUri", `${setup}<trt:ProfileToken>gate</trt:ProfileToken>`),
        "transport-off vms-1",
      ],
      [
        "an operation that is not there",
        (client) => client.call("trt", "StartMulticastStreaming", "<trt:ProfileToken>a</trt:ProfileToken>"),
        "unsupported-operation vms-1",
      ],
      [
        "a profile that is not there",
        (client) => client.call("trt", "GetProfile", "<trt:ProfileToken>no</trt:ProfileToken>"),
        "not-found vms-1",
      ],
      ["what only administrators may", (client) => client.call("tds", "GetUsers"), "no-right vms-1"],
      [
        "SOAP 1.1",
        () =>
          site.send({
            path: "/onvif/device_service",
            body: requestOf("tds", "GetScopes").replaceAll(
              "http://www.w3.org/2003/05/soap-envelope",
              "http://schemas.xmlsoap.org/soap/envelope/",
            ),
          }),
        "old-soap",
      ],
      [
        "an unknown digest algorithm",
        () =>
          site.send({
            path: "/onvif/device_service",
            body: requestOf("tds", "GetScopes"),
            headers: {
              authorization:
                'Digest username="a", realm="Viaduct", nonce="1", uri="/onvif/device_service", response="00", algorithm=SHA-512-256',
            },
          }),
        "algorithm a SHA-512-256",
      ],
      [
        "events for an address",
        (client) =>
          client.call(
            "wsnt",
            "Subscribe",
            "<wsnt:ConsumerReference><wsa:Address>http://10.9.9.9/</wsa:Address></wsnt:ConsumerReference>",
          ),
        "unsupported-operation vms-1",
      ],
      ["rubbish", () => site.send({ path: "/onvif/device_service", body: printEnvelope({ body: "" }) }), "bad-request"],
    ];
    for (const [name, act, found] of rows)
      it(`tells ${name}${found === "" ? " from a failure" : ""}`, async () => {
        const login = await site.account();
        await act(new OnvifClient(site, login), login);
        const [last] = refusals.list();
        const said =
          last === undefined
            ? ""
            : [last.code, last.account, ["clock-off", "algorithm"].includes(last.code) ? last.detail : undefined]
                .filter(Boolean)
                .join(" ");
        expect(said).to.equal(found);
      });
  });

  describe("at a whole bridge", () => {
    let site: TestBridge;
    before(async () => {
      site = await startTestBridge();
    });
    after(() => site?.close());
    const latest = (): Refusal | undefined => site.bridge.parts.refusals.list()[0];

    it("tells wrong secrets over RTSP", async () => {
      const login = await site.account();
      const { rtsps } = site.bridge.parts.addresses().doors;
      const client = await RtspsClient.open(rtsps);
      await client.play(`rtsps://127.0.0.1:${rtsps}/live/gate`, { ...login, secret: "wrong" });
      await eventually(() => latest()?.code === "wrong-secret");
      expect(latest()).to.deep.include({ interface: "rtsp", account: login.name, accountState: "integration" });
      client.close();
    });

    it("tells who speaks without TLS", async () => {
      const { https, rtsps } = site.bridge.parts.addresses().doors;
      for (const port of [https, rtsps]) {
        connectPlain(port, "127.0.0.1")
          .on("error", () => undefined)
          .end("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n");
        await eventually(
          () => latest()?.code === "plain-to-tls" && latest()?.interface === (port === https ? "onvif" : "rtsp"),
        );
      }
    });

    it("tells that curl does not trust the certificate", async function () {
      const { https } = site.bridge.parts.addresses().doors;
      await peer(this, "curl").run(["--silent", `https://127.0.0.1:${https}/onvif/device_service`]);
      await eventually(() => latest()?.code === "certificate-not-trusted");
    });

    it("tells TLS that is too old", async () => {
      const { https } = site.bridge.parts.addresses().doors;
      const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } as const;
      connectTls({ port: https, host: "127.0.0.1", ...old }).on("error", () => undefined);
      await eventually(() => latest()?.code === "tls-too-old");
    });

    it("tells an ONVIF client of a person", async () => {
      const { accounts } = site.bridge.parts;
      const token = accounts.setUpToken()?.reveal() ?? "";
      await accounts.setUp(token, "boss", "correct horse battery", { address: "127.0.0.1", port: 1, tls: true });
      await new OnvifClient(onvifEndpoint(site), { name: "boss", secret: "correct horse battery" }).call(
        "tds",
        "GetScopes",
      );
      expect(latest()).to.deep.include({ code: "wrong-secret", account: "boss", accountState: "person" });
    });
  });
});
