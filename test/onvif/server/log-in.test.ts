import { expect } from "chai";
import { usernameTokenHeader } from "../../../auth/scheme/usernametoken.ts";
import { Secret } from "../../../base/secret.ts";
import { later, MINUTE } from "../../../base/units.ts";
import { officialValidator } from "../../support/official-schemas.ts";
import { OnvifClient, PATHS, type Reply, read, requestOf, type Scheme } from "../../support/onvif-client.ts";
import { type Answer, type OnvifLogin, type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const DEVICE = `/onvif/${PATHS.tds}`;
const GUARDED = requestOf("tds", "GetDeviceInformation");
const OPEN = requestOf("tds", "GetSystemDateAndTime");

describe("log-in to the ONVIF services", () => {
  let site: OnvifTestSite;
  let clock: VirtualClock;
  let login: OnvifLogin;
  const valid = officialValidator();

  beforeEach(async () => {
    clock = new VirtualClock();
    site = await startOnvifSite({ clock });
    login = await site.account();
  });
  afterEach(() => site.close());

  const send = (body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    site.send({ path: DEVICE, body, headers });

  function expectChallenge(answer: Answer): Reply {
    const reply = read(answer);
    expect(answer.status).to.equal(401);
    expect(reply.fault).to.deep.include({ code: "Sender", subcodes: ["NotAuthorized"] });
    expect(valid(answer.body)).to.deep.equal([]);
    expect(answer.challenges).to.have.length(2);
    expect(answer.challenges[0]).to.match(/^Digest .*algorithm=SHA-256/);
    expect(answer.challenges[1]).to.match(/^Digest .*algorithm=MD5/);
    return reply;
  }

  it("is not needed for what clients ask before they know how to log in", async () => {
    for (const operation of ["GetSystemDateAndTime", "GetCapabilities", "GetServiceCapabilities", "GetHostname"])
      expect((await send(requestOf("tds", operation))).status, operation).to.equal(200);
    for (const prefix of ["trt", "tr2", "trc", "tse", "trp"] as const) {
      const { status } = await new OnvifClient(site).call(prefix, "GetServiceCapabilities");
      expect(status, prefix).to.equal(200);
    }
  });

  it("is not looked at where it is not needed", async () => {
    const header = usernameTokenHeader({ user: "nobody", password: new Secret("wrong") }, clock.now());
    expect((await send(requestOf("tds", "GetHostname", "", header))).status).to.equal(200);
    expect((await send(OPEN, { authorization: "Digest username=nobody" })).status).to.equal(200);
  });

  it("is asked for by digest, with the better algorithm first, and no word on why", async () => {
    const reply = expectChallenge(await send(GUARDED));
    expect(reply.fault?.reason).to.equal("wrong name or password");
  });

  for (const scheme of ["sha-256", "md5", "token"] as const satisfies readonly Scheme[])
    it(`succeeds by ${scheme}`, async () => {
      const reply = await new OnvifClient(site, login, scheme).call("tds", "GetDeviceInformation");
      expect(reply.status).to.equal(200);
      expect(reply.element.name).to.equal("GetDeviceInformationResponse");
    });

  for (const scheme of ["sha-256", "md5", "token"] as const satisfies readonly Scheme[])
    it(`fails by ${scheme} with a wrong secret or name, which look the same`, async () => {
      const wrong = [
        { name: login.name, secret: "wrong" },
        { name: "nobody", secret: login.secret },
      ];
      const reasons = [];
      for (const one of wrong)
        reasons.push(
          expectChallenge(await new OnvifClient(site, one, scheme).call("tds", "GetDeviceInformation")).fault,
        );
      expect(reasons[0]).to.deep.equal(reasons[1]);
    });

  for (const authorization of [
    "",
    " ",
    "Negotiate YII=",
    "NTLM TlRM",
    "Custom a=b",
    "Digest",
    "Digest ",
    "Basic",
    "Bearer abc",
  ])
    it(`takes an Authorization field of "${authorization}" for none`, async () => {
      expectChallenge(await send(GUARDED, { authorization }));
      const header = usernameTokenHeader({ user: login.name, password: new Secret(login.secret) }, clock.now());
      const { status } = await send(requestOf("tds", "GetDeviceInformation", "", header), { authorization });
      expect(status).to.equal(200);
    });

  it("looks at HTTP credentials first where both are given", async () => {
    const header = usernameTokenHeader({ user: login.name, password: new Secret(login.secret) }, clock.now());
    const authorization = 'Digest username="nobody", realm="Viaduct", nonce="x", uri="/", response="y"';
    const { status } = await send(requestOf("tds", "GetDeviceInformation", "", header), { authorization });
    expect(status).not.to.equal(200);
  });

  it("takes a UsernameToken once", async () => {
    const header = usernameTokenHeader({ user: login.name, password: new Secret(login.secret) }, clock.now());
    const body = requestOf("tds", "GetDeviceInformation", "", header);
    expect((await send(body)).status).to.equal(200);
    expectChallenge(await send(body));
  });

  it("refuses a UsernameToken of another time, without nonce or time, or with a readable password", async () => {
    const credentials = { user: login.name, password: new Secret(login.secret) };
    const whole = usernameTokenHeader(credentials, clock.now());
    const headers = [
      usernameTokenHeader(credentials, later(clock.now(), -6 * MINUTE)),
      usernameTokenHeader(credentials, later(clock.now(), 6 * MINUTE)),
      whole.replace(/<wsse:Nonce.*<\/wsse:Nonce>/, ""),
      whole.replace(/<wsu:Created>.*<\/wsu:Created>/, ""),
      whole.replace(/<wsse:Password.*<\/wsse:Password>/, `<wsse:Password>${login.secret}</wsse:Password>`),
      whole.replace(/<wsse:Password.*<\/wsse:Password>/, ""),
      whole.replace(/<wsse:Username>.*<\/wsse:Username>/, ""),
      whole.replace(/<wsse:Username>/, `$&${"x".repeat(600)}`),
      whole.replace(/<wsse:UsernameToken>.*<\/wsse:UsernameToken>/, ""),
    ];
    for (const header of headers) expectChallenge(await send(requestOf("tds", "GetDeviceInformation", "", header)));
  });

  it("slows down who guesses, and says so without a challenge", async () => {
    const guess = new OnvifClient(site, { name: login.name, secret: "wrong" }, "token");
    const statuses: number[] = [];
    for (let count = 0; count < 8; count += 1) statuses.push((await guess.call("tds", "GetScopes")).status);
    expect(statuses.slice(0, 5)).to.deep.equal([401, 401, 401, 401, 401]);
    const refused = await guess.call("tds", "GetScopes");
    expect(refused.status).to.equal(500);
    expect(refused.fault).to.deep.include({ code: "Receiver", subcodes: ["Action"] });
    expect(valid(refused.body)).to.deep.equal([]);
    await clock.advance(5 * MINUTE);
    const { status } = await new OnvifClient(site, login, "token").call("tds", "GetScopes");
    expect(status).to.equal(200);
  });

  it("ends for an account that was disabled", async () => {
    const client = new OnvifClient(site, login);
    expect((await client.call("tds", "GetScopes")).status).to.equal(200);
    const id = site.accounts.list().find(({ name }) => name === login.name)?.id ?? "";
    await site.accounts.change(id, { enabled: false });
    expectChallenge(await client.call("tds", "GetScopes"));
  });
});
