import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Clock, systemClock } from "../../base/clock.ts";
import { Secret } from "../../base/secret.ts";
import { spkiOf } from "../../base/spki.ts";
import { SECOND } from "../../base/units.ts";
import { SmsGateway } from "../../bridge/client-side/sms-gateway.ts";
import { smsSchema } from "../../bridge/sms-settings.ts";
import { loadIdentity } from "../../net/tls.ts";
import { eventually } from "../support/bridge.ts";
import { peer } from "../support/peer.ts";
import { SMS_SECRET, type SmsGatewayPeer, type SmsRequest, startSmsGateway } from "../support/sms-gateway.ts";
import { viaduct } from "../support/viaduct.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const NUMBER = "+4512345678";
const CODE = new Secret("012345");
const TEXT = "012345 is your code for Viaduct, good for five minutes. Nobody will ever ask you for it.";
const GUIDE = join(import.meta.dirname, "../../docs/guide/accounts.md");

describe("SMS, given to a gateway on Python's http.server", () => {
  let folder: string;
  let certificate: string;
  let gateway: SmsGatewayPeer;

  before(async function () {
    folder = await mkdtemp(join(tmpdir(), "viaduct-sms-"));
    await loadIdentity(folder, ["127.0.0.1"], systemClock);
    certificate = join(folder, "tls-cert.pem");
    await writeFile(join(folder, "secret"), `${SMS_SECRET}\n`, { mode: 0o600 });
    await writeFile(join(folder, "wrong"), "another\n", { mode: 0o600 });
    gateway = await startSmsGateway(this, folder);
  });
  after(async () => {
    await gateway?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const bearer = (secretFile = "secret"): object => ({
    headers: { Authorization: "Bearer {secret}", "X-Sender": "gate" },
    secretFile: join(folder, secretFile),
    json: { message: "{text}", recipients: [{ msisdn: "{digits}" }], reference: "{id}", urgent: true },
  });
  const sender = (path: string, more: object, clock: Clock = systemClock): SmsGateway => {
    const url = `https://127.0.0.1:${gateway.port}${path}`;
    const trust = "pin" in more || "ca" in more ? {} : { ca: certificate };
    return new SmsGateway(smsSchema.parse({ url, countries: ["+45"], ...trust, ...more }), [], clock);
  };
  /** What it was asked while `work` was done; what it writes may come after its answer. */
  const asked = async (count: number, work: () => Promise<unknown>): Promise<readonly SmsRequest[]> => {
    const before = gateway.requests().length;
    await work();
    await eventually(() => gateway.requests().length >= before + count);
    return gateway.requests().slice(before);
  };
  const troubleOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => "none",
      (error: Error) => error.message,
    );

  it("goes as JSON with a bearer token, with everything filled in where it belongs", async () => {
    const [request] = await asked(1, () => sender("/messages", bearer()).send(NUMBER, CODE));
    expect(request).to.include({ method: "POST", path: "/messages", type: "application/json", known: true });
    expect(request).to.include({ sender: "gate", host: `127.0.0.1:${gateway.port}` });
    const { reference, ...fields } = (request?.fields ?? {}) as { reference?: string };
    expect(fields).to.deep.equal({ message: TEXT, recipients: [{ msisdn: "4512345678" }], urgent: true });
    expect(reference).to.match(/^[0-9a-f-]{36}$/);
  });

  it("goes as a form, with HTTP Basic or the secret as a field, by PUT, to a gateway known by its key", async () => {
    const pin = spkiOf(new X509Certificate(await readFile(certificate)));
    const secretFile = join(folder, "secret");
    const form = { To: "{to}", Body: "{text}" };
    const byUser = sender("/messages", { user: "viaduct", secretFile, form, method: "PUT", pin });
    const byField = sender("/messages", { secretFile, form: { ...form, key: "{secret}" } });
    const [basic] = await asked(1, () => byUser.send(NUMBER, CODE));
    const [field] = await asked(1, () => byField.send(NUMBER, CODE));
    expect(basic).to.deep.include({ method: "PUT", known: true, fields: { To: NUMBER, Body: TEXT } });
    expect(field).to.deep.include({ known: true, fields: { To: NUMBER, Body: TEXT, key: SMS_SECRET } });
  });

  it("is not taken for sent where the gateway refuses, redirects, never ends, says nothing, or answers 200 to a failure", async () => {
    const clock = new VirtualClock();
    const unanswered = sender("/silent", { ...bearer(), timeoutSeconds: 1 }, clock);
    const senders = [
      sender("/messages", bearer("wrong")),
      sender("/elsewhere", bearer()),
      sender("/endless", bearer()),
      unanswered,
      sender("/broke", { ...bearer(), success: { contains: '"status":"0"' } }),
      sender("/messages", { ...bearer(), success: { statuses: [200] } }),
    ];
    const troubles: string[] = [];
    const requests = await asked(senders.length, async () => {
      for (const one of senders) {
        const trouble = troubleOf(one.send(NUMBER, CODE));
        // Its time is over once it was asked, however long that takes.
        if (one === unanswered) {
          await eventually(() => gateway.requests().at(-1)?.path === "/silent");
          await clock.advance(SECOND);
        }
        troubles.push(await trouble);
      }
    });
    expect(clock.pending).to.equal(0);
    const host = `127.0.0.1:${gateway.port}`;
    expect(troubles).to.deep.equal([
      `${host} did not take the message: it answered 401`,
      `${host} did not take the message: it answered 307`,
      `${host} was not given the message: answer of ${host} body over 65536 bytes`,
      `${host} was not given the message: ${host} took longer than 1000 ms`,
      `${host} did not take the message: it answered 200`,
      `${host} did not take the message: it answered 202`,
    ]);
    // One request each: none was followed, and none sent again.
    expect(requests.map(({ path }) => path)).to.deep.equal(
      ["messages", "elsewhere", "endless", "silent", "broke", "messages"].map((name) => `/${name}`),
    );
    await asked(1, () => sender("/broke", bearer()).send(NUMBER, CODE));
  });

  it("is sent no byte where the gateway is another one, or where cameras are", async () => {
    const before = gateway.requests().length;
    const named = smsSchema.parse({ url: "https://sms.example.org/messages", countries: ["+45"], ...bearer() });
    const among = new SmsGateway(named, ["127.0.0.0/8"], systemClock, async () => ["127.0.0.1"]);
    const troubles = [
      await troubleOf(sender("/messages", { ...bearer(), ca: undefined }).send(NUMBER, CODE)),
      await troubleOf(sender("/messages", { ...bearer(), pin: `${"A".repeat(43)}=` }).send(NUMBER, CODE)),
      await troubleOf(among.send(NUMBER, CODE)),
    ];
    expect(troubles[0]).to.match(/the certificate of .* is not good: DEPTH_ZERO_SELF_SIGNED_CERT/);
    expect(troubles[1]).to.match(/has the key .*, not the pinned one/);
    expect(troubles[2]).to.match(/is sent nothing: nothing is sent to 127.0.0.1/);
    expect(troubles.join("\n")).not.to.match(/012345|s3cret/);
    expect(gateway.requests()).to.have.length(before);
  });

  it("is tried by `viaduct sms test`, which says what the gateway answers, and by the guide's curl", async function () {
    const config = join(folder, "viaduct.yaml");
    const write = (secret: string): Promise<void> =>
      writeFile(
        config,
        `dataFolder: ${folder}/data
cameraSide: { interfaces: [10.1.0.0/24] }
clientSide: { addresses: [127.0.0.1] }
sms:
  url: https://127.0.0.1:${gateway.port}/messages
  ca: tls-cert.pem
  headers: { Authorization: "Bearer {secret}" }
  secretFile: ${secret}
  json: { to: "{to}", text: "{text}" }
  countries: ["+45"]
`,
      );
    const test = (number: string) => viaduct(["sms", "test", number, "--config", config]);
    await write("secret");
    const host = `127.0.0.1:${gateway.port}`;
    const tried = test("+45 12 34 56 78");
    const [ours] = await asked(1, () => tried);
    expect(await tried).to.deep.equal({
      code: 0,
      out: `${host} has taken a message to ${NUMBER}. Look whether it arrives. It answered 202: {"status":"0"}\n`,
      err: "",
    });
    const line = /^curl [^\n]*sms\.example\.org[^\n]*$/m.exec(await readFile(GUIDE, "utf8"))?.[0] ?? "";
    const here = line.replace("https://sms.example.org/messages", `https://${host}/messages`);
    const byHand = peer(this, "sh").run([
      "-c",
      `cd ${folder} && ${here.replaceAll("sms-ca.pem", "tls-cert.pem").replaceAll("sms-secret", "secret")}`,
    ]);
    const [theirs] = await asked(1, () => byHand);
    const { code, stdout } = await byHand;
    expect([code, stdout.toString()]).to.deep.equal([0, '{"status":"0"}']);
    expect({ ...theirs, fields: undefined }).to.deep.equal({ ...ours, fields: undefined });
    expect(Object.keys(theirs?.fields as object)).to.deep.equal(Object.keys(ours?.fields as object));
    expect((await test("+46701234567")).err).to.match(/numbers that begin with \+45 alone: see sms.countries/);
    expect((await test("12345678")).err).to.match(/not a telephone number with its country/);
    await write("wrong");
    const wrong = await test(NUMBER);
    expect([wrong.code, wrong.err]).to.deep.equal([
      1,
      `viaduct: ${host} did not take the message. It answered 401: who are you?\n`,
    ]);
  });
});
