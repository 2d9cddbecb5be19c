import { expect } from "chai";
import * as fc from "fast-check";
import { algorithmOf, digestResponse, parseAuthValues, quoted } from "../../auth/scheme/digest.ts";
import { ChallengeAnswerer } from "../../auth/scheme/http.ts";
import { Secret } from "../../base/secret.ts";

const algorithm = (name: string | undefined): NonNullable<ReturnType<typeof algorithmOf>> => {
  const found = algorithmOf(name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

describe("digest", () => {
  const lion = { user: "Mufasa", method: "GET", uri: "/dir/index.html" };
  const modern = {
    ...lion,
    realm: "http-auth@example.org",
    password: "Circle of Life",
    nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    quality: { nc: "00000001", cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ" },
  };
  const old = { ...lion, realm: "testrealm@host.com", nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093" };

  it("answers the examples of RFC 7616 3.9.1", () => {
    expect(digestResponse({ ...modern, algorithm: algorithm("SHA-256") })).to.equal(
      "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    );
    expect(digestResponse({ ...modern, algorithm: algorithm("MD5") })).to.equal("8ca523f5e9506fed4657c9700eebdbec");
  });
  it("answers the examples of RFC 2617 and RFC 2069", () => {
    const quality = { nc: "00000001", cnonce: "0a4f113b" };
    const password = "Circle Of Life";
    expect(digestResponse({ ...old, password, quality, algorithm: algorithm(undefined) })).to.equal(
      "6629fae49393a05397450978507c4ef1",
    );
    expect(digestResponse({ ...old, password: "CircleOfLife", algorithm: algorithm(undefined) })).to.equal(
      "1949323746fe6a43ef61f9606e7febea",
    );
  });
});

describe("parseAuthValues", () => {
  const rows: readonly (readonly [string, string, readonly (readonly [string, Record<string, string>])[], boolean])[] =
    [
      ["one challenge", 'Digest realm="a b", nonce="n"', [["digest", { realm: "a b", nonce: "n" }]], false],
      [
        "several in one field",
        'Basic realm="x", Digest realm="y", qop="auth,auth-int", NEGOTIATE',
        [
          ["basic", { realm: "x" }],
          ["digest", { realm: "y", qop: "auth,auth-int" }],
          ["negotiate", {}],
        ],
        false,
      ],
      ["a comma and a quote in a value", 'Digest realm="a, \\"b\\" =c"', [["digest", { realm: 'a, "b" =c' }]], false],
      [
        "blanks around the equals sign",
        "Digest realm = x ,  stale =  FALSE",
        [["digest", { realm: "x", stale: "FALSE" }]],
        false,
      ],
      [
        "unquoted values with odd characters",
        "Digest nonce=ab/c+==, uri=rtsp://h/x?y",
        [["digest", { nonce: "ab/c+==", uri: "rtsp://h/x?y" }]],
        false,
      ],
      ["an empty value", 'Digest username="", realm="r"', [["digest", { username: "", realm: "r" }]], false],
      ["a parameter twice", 'Digest realm="a", realm="b"', [["digest", { realm: "a" }]], true],
      ["no closing quote", 'Digest realm="a', [["digest", { realm: "a" }]], true],
      ["stray characters", 'Digest realm="a"; nonce="b"', [["digest", { realm: "a", nonce: "b" }]], true],
      ["nothing", "", [], false],
      ["a line break", 'Digest realm="a\r\nX: y"', [], false],
    ];
  for (const [name, text, entries, malformed] of rows)
    it(`reads ${name}`, () => {
      const values = parseAuthValues(text);
      expect(values.map(({ scheme, params }) => [scheme, Object.fromEntries(params)])).to.deep.equal(entries);
      expect(values.some((value) => value.malformed)).to.equal(malformed);
    });

  it("reads a token after the scheme", () => {
    const [basic, other] = parseAuthValues("Basic dXNlcjpwYXNz==, Digest realm=x");
    expect([basic?.token, other?.token, other?.params.get("realm")]).to.deep.equal(["dXNlcjpwYXNz==", undefined, "x"]);
  });

  it("reads back whatever quoted() wrote", () => {
    const text = fc.string({ unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 10 }), (texts) => {
        const params = texts.map((value, index) => `p${index}=${quoted(value)}`).join(", ");
        const [value, ...rest] = parseAuthValues(`Digest ${params}`);
        expect(rest).to.deep.equal([]);
        expect(value?.malformed).to.equal(false);
        expect([...(value?.params.values() ?? [])]).to.deep.equal(texts);
      }),
    );
  });

  it("never throws, whatever comes, and stays in its bounds", () => {
    const piece = fc.constantFrom("Digest ", "realm", "=", '"', "\\", ",", " ", "nonce=", "Basic", "\t", "é", "\0");
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }), (parts) => {
        for (const value of parseAuthValues(parts.join(""))) expect(value.params.size).to.be.at.most(24);
      }),
    );
    expect(parseAuthValues(`Digest ${"a=b,".repeat(5000)}`)).to.deep.equal([]);
    expect(
      parseAuthValues(`Digest ${Array.from({ length: 40 }, (_, n) => `p${n}=1`).join(",")}`)[0]?.malformed,
    ).to.equal(true);
  });
});

const paramsOf = (value: string | undefined): Record<string, string> =>
  Object.fromEntries(parseAuthValues(value ?? "")[0]?.params ?? []);

const credentials = { user: "admin", password: new Secret("pa:ss") };

const keepsNonce = (name: string): boolean => {
  const answerer = new ChallengeAnswerer(credentials);
  answerer.challenged([`Digest realm="r", nonce="n", qop="auth", algorithm=${name}`]);
  const [a, b] = [1, 2].map(() => paramsOf(answerer.authorize("GET", "/"))["cnonce"]);
  return a === b;
};

describe("answering a camera's challenge", () => {
  const MD5 = 'Digest realm="r", nonce="n1", algorithm=MD5';
  const SHA = 'Digest realm="r", nonce="n2", algorithm=SHA-256, qop="auth"';
  const BASIC = 'Basic realm="r"';

  const choices: readonly (readonly [string, readonly string[], boolean, string | undefined])[] = [
    ["SHA-256 over MD5", [MD5, SHA], false, "SHA-256"],
    ["SHA-256 over MD5 in either order", [SHA, MD5], false, "SHA-256"],
    ["SHA-256 in one field with others", [`${BASIC}, ${MD5}, ${SHA}`], true, "SHA-256"],
    ["MD5 over Basic", [BASIC, MD5], true, "MD5"],
    ["MD5 with a quoted name", ['Digest realm="r", nonce="n", algorithm="md5"'], false, "md5"],
    ["the algorithm that it knows", ['Digest realm="r", nonce="n", algorithm=SHA-512-256', MD5], false, "MD5"],
    ["nothing where only Basic is offered and not allowed", [BASIC], false, undefined],
    ["nothing where bodies must be signed", ['Digest realm="r", nonce="n", qop="auth-int"'], false, undefined],
    ["nothing without a nonce", ['Digest realm="r"'], false, undefined],
    ["nothing from garbage", ["", "Negotiate", "=", '"'], true, undefined],
  ];
  for (const [name, values, allowBasic, chosen] of choices)
    it(`chooses ${name}`, () => {
      const answerer = new ChallengeAnswerer(credentials, { allowBasic });
      expect(answerer.challenged(values)).to.equal(chosen !== undefined);
      expect(paramsOf(answerer.authorize("GET", "/"))["algorithm"]).to.equal(chosen);
    });

  it("has nothing to say before a challenge", () =>
    expect(new ChallengeAnswerer(credentials).authorize("GET", "/")).to.equal(undefined));

  it("sends Basic where it is allowed", () => {
    const answerer = new ChallengeAnswerer(credentials, { allowBasic: true });
    expect(answerer.challenged([BASIC])).to.equal(true);
    expect(answerer.authorize("GET", "/")).to.equal(`Basic ${btoa("admin:pa:ss")}`);
  });

  it("cannot be talked down from a stronger scheme", () => {
    const answerer = new ChallengeAnswerer(credentials, { allowBasic: true });
    answerer.challenged([SHA]);
    for (let n = 0; n < 3; n += 1) answerer.authorize("GET", "/");
    expect(answerer.challenged([MD5, BASIC])).to.equal(false);
  });

  it("signs the literal address and echoes opaque", () => {
    const answerer = new ChallengeAnswerer(credentials);
    answerer.challenged(['Digest realm="r", nonce="n", opaque="o\\"p", stale="FALSE", random="1"']);
    const params = paramsOf(answerer.authorize("SETUP", "rtsp://h/a b?x=1/"));
    expect(params).to.deep.include({ uri: "rtsp://h/a b?x=1/", opaque: 'o"p', username: "admin" });
    expect(params).not.to.have.any.keys("qop", "nc", "cnonce", "algorithm");
  });

  it("counts on with the same nonce and starts anew with another", () => {
    const answerer = new ChallengeAnswerer(credentials);
    const counts: (string | undefined)[] = [];
    const ask = (times: number): void => {
      for (let n = 0; n < times; n += 1) counts.push(paramsOf(answerer.authorize("GET", "/"))["nc"]);
    };
    answerer.challenged([SHA]);
    ask(2);
    answerer.challenged([SHA]);
    ask(2);
    answerer.challenged([SHA.replace("n2", "n3")]);
    ask(1);
    expect(counts).to.deep.equal(["00000001", "00000002", "00000003", "00000004", "00000001"]);
  });

  it("keeps the client's nonce for -sess and changes it otherwise", () => {
    expect([keepsNonce("MD5-sess"), keepsNonce("MD5")]).to.deep.equal([true, false]);
  });

  it("gives up when the credentials are refused", () => {
    const answerer = new ChallengeAnswerer(credentials);
    expect(answerer.challenged([MD5])).to.equal(true);
    answerer.authorize("GET", "/");
    expect(answerer.challenged([MD5.replace("n1", "n9")])).to.equal(false);
  });

  it("goes on when only the nonce was refused, but not for ever", () => {
    const answerer = new ChallengeAnswerer(credentials);
    const answers: boolean[] = [];
    for (let n = 0; n < 5; n += 1) {
      answers.push(answerer.challenged([`Digest realm="r", nonce="${n}", stale=TRUE`]));
      answerer.authorize("GET", "/");
    }
    expect(answers).to.deep.equal([true, true, true, false, false]);
  });

  it("answers cameras that rotate the nonce silently, as long as answers are accepted", () => {
    const answerer = new ChallengeAnswerer(credentials);
    answerer.challenged([MD5]);
    for (let n = 0; n < 5; n += 1) {
      answerer.authorize("GET", "/accepted");
      answerer.authorize("GET", "/refused");
      expect(answerer.challenged([MD5.replace("n1", `m${n}`)])).to.equal(true);
    }
  });

  it("writes names outside ASCII in the extended form", () => {
    const answerer = new ChallengeAnswerer({ user: "søren", password: new Secret("x") });
    answerer.challenged([MD5]);
    expect(answerer.authorize("GET", "/")).to.include("username*=UTF-8''s%C3%B8ren");
  });
});
