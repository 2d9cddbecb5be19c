import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { createLog } from "../../base/log.ts";
import { Secret } from "../../base/secret.ts";
import { header } from "../../rtsp/wire/message.ts";
import { CAMERA_LOGIN, eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { requestOf } from "../support/onvif-client.ts";
import { RtspsClient } from "../support/rtsps-client.ts";
import { WebClient } from "../support/web-client.ts";

/** Each is given to the bridge somewhere below, and may stand neither in its log nor in its audit log. */
const WRONG = {
  camera: "wr0ng-camera-pass",
  address: "wr0ng-at@in-address",
  query: "wr0ng-at@in-query",
  path: "wr0ng-at@in-path",
  person: "wr0ng-person-pass",
  setUp: "wr0ng-set-up-token",
  rtsp: "wr0ng-rtsp-secret",
  onvif: "wr0ng-onvif-secret",
  token: "wr0ng-bearer-token",
} as const;
const PERSON = "correct horse battery";

describe("secrets", () => {
  const lines: string[] = [];
  const secrets = new Set<string>([...Object.values(WRONG), PERSON, CAMERA_LOGIN.password.reveal()]);
  let t: TestBridge;
  let admin: WebClient;

  before(async () => {
    t = await startTestBridge({ log: createLog("debug", { write: (line) => void lines.push(line) }) });
    admin = new WebClient(t.bridge.parts.addresses().doors.https);
  });
  after(() => t?.close());

  const events: unknown[] = [];

  it("go in through set-up and log-in, right and wrong", async () => {
    const token = t.bridge.parts.accounts.setUpToken()?.reveal() ?? "";
    secrets.add(token);
    const body = { name: "admin", password: PERSON };
    await admin.send("POST", "/api/setup", { body: { ...body, token: WRONG.setUp } });
    expect((await admin.send("POST", "/api/setup", { body: { ...body, token } })).status).to.equal(201);
    expect((await new WebClient(t.bridge.parts.addresses().doors.https).logIn("admin", WRONG.person)).status).to.equal(
      401,
    );
    secrets.add(admin.cookie.split("=")[1] ?? "");
  });

  it("go in with the adoption of cameras, found and by address, right and wrong", async () => {
    t.bridge.parts.discovery.listen((event) => events.push(event));
    const camera = await t.camera();
    const { hostname } = new URL(camera.deviceUrl);
    await t.bridge.parts.discovery.startScan([hostname]);
    const find = t.bridge.parts.discovery.list().find((one) => one.ip === hostname)?.id ?? "";
    const adopt = async (body: object): Promise<number> =>
      (await admin.send("POST", "/api/discovery/adopt", { body: { plainText: true, ...body } })).status;
    const { user, password } = CAMERA_LOGIN;
    expect(await adopt({ target: { find }, user, password: WRONG.camera })).to.equal(401);
    expect(await adopt({ target: { find }, user, password: password.reveal() })).to.equal(201);
    // The log-in of a stream is tried when it is pulled, again and again.
    const other = new URL((await t.camera()).rtspUrl);
    const [head, tail] = other.href.split("://");
    expect(await adopt({ target: { rtsp: `${head}://${user}:${WRONG.address}@${tail}` } })).to.equal(201);
    expect(await adopt({ target: { rtsp: `${head}://${user}:${WRONG.address}@${tail}` } })).to.equal(409);
    expect(await adopt({ target: { rtsp: `nothing://${user}:${WRONG.address}@${tail}` } })).to.equal(400);
    for (const tailOf of [
      (path: string) => `${path}?user=${user}&pwd=${WRONG.query}`,
      (path: string) => path.replace("/", `/user=${user}_password=${WRONG.path}_channel=1`),
    ]) {
      const rtsp = `${head}://${tailOf(tail ?? "")}`;
      expect(await adopt({ target: { rtsp } })).to.equal(201);
      expect(await adopt({ target: { rtsp } })).to.equal(409);
    }
    await eventually(() => lines.some((line) => line.includes("camera stream failed")));
    await eventually(() => lines.some((line) => line.includes("camera stream is up")));
  });

  it("go in with RTSP, in the header and, where they do not belong, in the address", async () => {
    const { rtsps } = t.bridge.parts.addresses().doors;
    const login = await t.account();
    secrets.add(login.secret);
    const id = t.cameras(login)[0]?.info.id;
    const address = (secret: string): string => `rtsps://${login.name}:${secret}@127.0.0.1:${rtsps}/live/${id}`;
    const wrong = await RtspsClient.open(rtsps);
    expect((await wrong.play(address(WRONG.rtsp), { ...login, secret: WRONG.rtsp })).status).to.equal(401);
    wrong.close();
    const right = await RtspsClient.open(rtsps);
    expect((await right.play(address(login.secret), login)).status).to.equal(200);
    await eventually(() => right.packets > 5);
    const refused = await right.ask("DESCRIBE", address(login.secret).replace("/live/", "/none/"));
    expect(header(refused, "CSeq")).not.to.equal(undefined);
    right.close();
  });

  it("go in with ONVIF, by Basic and by UsernameToken", async () => {
    const { https } = t.bridge.parts.addresses().doors;
    const login = await t.account();
    secrets.add(login.secret);
    const ask = async (secret: string, how: "basic" | "token"): Promise<string> => {
      const token = `<wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><wsse:UsernameToken><wsse:Username>${login.name}</wsse:Username><wsse:Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText">${secret}</wsse:Password></wsse:UsernameToken></wsse:Security>`;
      const basic = Buffer.from(`${login.name}:${secret}`).toString("base64");
      secrets.add(basic);
      const { text } = await new WebClient(https).send("POST", "/onvif/media_service", {
        body: requestOf("trt", "GetProfiles", "", how === "token" ? token : ""),
        headers: {
          "content-type": "application/soap+xml; charset=utf-8",
          ...(how === "basic" ? { authorization: `Basic ${basic}` } : {}),
        },
      });
      return text;
    };
    for (const how of ["basic", "token"] as const) expect(await ask(WRONG.onvif, how), how).to.include("NotAuthorized");
    expect(await ask(login.secret, "basic")).to.include("GetProfilesResponse");
    await ask(login.secret, "token");
    await new WebClient(https).send("GET", "/metrics", { headers: { authorization: `Bearer ${WRONG.token}` } });
  });

  it("come out neither in the log, nor in the audit log, nor in what pages are told of an adoption", async () => {
    const audit = await readFile(join(t.folder, "audit.log"), "utf8");
    const log = lines.join("");
    const told = JSON.stringify(events);
    expect(log).to.include("log-in failed").and.to.include("camera adopted");
    expect(audit).to.include('"action":"live"');
    expect(told).to.include('"adopting"');
    for (const secret of secrets) {
      expect(secret.length).to.be.at.least(11);
      for (const [where, text] of Object.entries({ log, audit, told })) {
        expect(text.includes(secret), `${secret} in the ${where}`).to.equal(false);
        // What follows an `@` in a password is a part of it, too.
        expect(text.includes(secret.split("@").at(-1) ?? ""), `a part of ${secret} in the ${where}`).to.equal(false);
      }
    }
  });

  it("print as such wherever one is put into text by mistake", () => {
    const secret = new Secret(PERSON);
    const log = createLog("debug", { write: (line) => void lines.push(line) });
    log.debug({ secret, nested: { deep: [secret] } }, `a ${String(secret)}`);
    expect(lines.at(-1)).to.include("[secret]").and.not.to.include(PERSON);
  });
});
