import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Context } from "mocha";
import { systemClock } from "../../base/clock.ts";
import { Secret } from "../../base/secret.ts";
import { Mailer } from "../../bridge/client-side/mailer.ts";
import { type MailSettings, mailSchema } from "../../bridge/mail-settings.ts";
import { loadIdentity } from "../../net/tls.ts";
import { eventually } from "../support/bridge.ts";
import { peer } from "../support/peer.ts";
import { MAIL_PASSWORD, MAIL_USER, type MailServer, startMailServer } from "../support/smtp-server.ts";
import { viaduct } from "../support/viaduct.ts";

describe("mail, given to aiosmtpd", () => {
  let folder: string;
  let certificate: string;
  let servers: MailServer[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-mail-"));
    await loadIdentity(folder, ["127.0.0.1"], systemClock);
    certificate = join(folder, "tls-cert.pem");
    await writeFile(join(folder, "password"), `${MAIL_PASSWORD}\n`, { mode: 0o600 });
    await writeFile(join(folder, "wrong"), "another\n", { mode: 0o600 });
  });
  afterEach(async () => {
    for (const one of servers.splice(0)) await one.close();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const server = async (
    context: Context,
    mode: Parameters<typeof startMailServer>[1],
    identity = folder,
  ): Promise<MailServer> => {
    const started = await startMailServer(context, mode, identity);
    servers = [...servers, started];
    return started;
  };
  const settings = (port: number, more: object): MailSettings =>
    mailSchema.parse({ host: "127.0.0.1", port, ca: certificate, from: "viaduct@example.org", ...more });
  const known = (passwordFile = "password"): object => ({ user: MAIL_USER, passwordFile: join(folder, passwordFile) });
  const mailer = (port: number, more: object, cameras: readonly string[] = []): Mailer =>
    new Mailer(settings(port, more), cameras, systemClock);
  const troubleOf = async (work: Promise<void>): Promise<string> =>
    work.then(
      () => "none",
      (error: Error) => error.message,
    );

  for (const encryption of ["starttls", "tls"] as const)
    it(`goes inside TLS with ${encryption}, with a log-in, and a code in it`, async function () {
      const { port, mails } = await server(this, encryption);
      await mailer(port, { encryption, ...known() }).send("ada@example.org", new Secret("012345"));
      await eventually(() => mails().length > 0);
      const [mail] = mails();
      expect(mail).to.include({ from: "viaduct@example.org", subject: "Code to log in", tls: true, user: MAIL_USER });
      expect(mail?.to).to.deep.equal(["ada@example.org"]);
      expect(mail?.text).to.contain("Your code for Viaduct is 012345.");
    });

  it("goes without TLS where that was chosen, and then with no password", async function () {
    const { port, mails } = await server(this, "none");
    await mailer(port, { encryption: "none" }).send("ada@example.org", new Secret("012345"));
    await eventually(() => mails().length > 0);
    expect(mails()[0]).to.include({ tls: false, user: null });
    expect(mailSchema.safeParse({ host: "x", from: "a@b", encryption: "none", ...known() }).success).to.equal(false);
  });

  it("goes nowhere where the server is another one, offers no TLS, wants another password or knows no such mailbox", async function () {
    const [right, deaf] = [await server(this, "starttls"), await server(this, "deaf")];
    const elsewhere = join(folder, "elsewhere");
    await mkdir(elsewhere);
    const files = ["-keyout", join(elsewhere, "tls-key.pem"), "-out", join(elsewhere, "tls-cert.pem")];
    const names = ["-subj", "/CN=other", "-addext", "subjectAltName=IP:127.0.0.9"];
    await peer(this, "openssl").run([
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      ...files,
      ...names,
    ]);
    const others = await server(this, "starttls", elsewhere);
    const itsCa = join(elsewhere, "tls-cert.pem");
    const code = new Secret("012345");
    const troubles = [
      await troubleOf(mailer(right.port, { ca: undefined, ...known() }).send("ada@example.org", code)),
      await troubleOf(mailer(deaf.port, known()).send("ada@example.org", code)),
      await troubleOf(mailer(right.port, known("wrong")).send("ada@example.org", code)),
      await troubleOf(mailer(right.port, known()).send("nobody@example.org", code)),
      await troubleOf(mailer(1, known()).send("ada@example.org", code)),
    ];
    expect(await troubleOf(mailer(others.port, { ca: itsCa, ...known() }).send("ada@example.org", code))).to.match(
      /is not in the cert's list/,
    );
    expect(troubles[0]).to.match(/self-signed certificate/);
    expect(troubles[1]).to.match(/STARTTLS/);
    expect(troubles[2]).to.match(/did not take the mail: Invalid login: 535/);
    expect(troubles[3]).to.match(/no such mailbox/);
    expect(troubles[4]).to.match(/cannot be reached/);
    expect(troubles.join("\n")).not.to.match(/012345|s3cret|another/);
    expect([...right.mails(), ...deaf.mails(), ...others.mails()]).to.deep.equal([]);
  });

  it("goes to no server that is where cameras are", async function () {
    const { port, mails } = await server(this, "starttls");
    const named = { ...settings(port, known()), host: "mail.example.org" };
    const there = new Mailer(named, ["127.0.0.0/8"], systemClock, async () => ["127.0.0.1"]);
    expect(await troubleOf(there.send("ada@example.org", new Secret("012345")))).to.match(
      /nothing is sent to 127.0.0.1/,
    );
    expect(mails()).to.deep.equal([]);
  });

  it("is tried by `viaduct mail test`, which says what is wrong", async function () {
    const { port, mails } = await server(this, "starttls");
    const config = join(folder, "viaduct.yaml");
    const write = (passwordFile: string, more = ""): Promise<void> =>
      writeFile(
        config,
        `dataFolder: ${folder}/data
cameraSide: { interfaces: [10.1.0.0/24] }
clientSide: { addresses: [127.0.0.1] }
mail:
  host: 127.0.0.1
  port: ${port}
  ca: ${certificate}
  user: ${MAIL_USER}
  passwordFile: ${join(folder, passwordFile)}
  from: viaduct@example.org
${more}`,
      );
    const test = () => viaduct(["mail", "test", "ada@example.org", "--config", config]);
    await write("password");
    expect(await test()).to.deep.equal({
      code: 0,
      out: `127.0.0.1:${port} has taken a message to ada@example.org. Look whether it arrives.\n`,
      err: "",
    });
    await eventually(() => mails().length > 0);
    expect(mails()[0]).to.include({ subject: "Test of Viaduct", tls: true });
    await write("wrong");
    const wrong = await test();
    expect([wrong.code, wrong.err]).to.deep.equal([
      1,
      `viaduct: 127.0.0.1:${port} did not take the mail: Invalid login: 535 5.7.8 Authentication credentials invalid\n`,
    ]);
    await write("password", "  encryption: none\n");
    const { code, err } = await viaduct(["config", "check", config]);
    expect([code, err]).to.deep.equal([
      2,
      `viaduct: ${config}:4: mail: no password is sent without encryption: take starttls or tls, or leave user out\n`,
    ]);
  });
});
