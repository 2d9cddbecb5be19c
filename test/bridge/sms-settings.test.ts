import { expect } from "chai";
import { smsSchema } from "../../bridge/sms-settings.ts";

const LEAST = {
  url: "https://sms.example.org/messages",
  json: { to: "{to}", text: "{text}" },
  countries: ["+45"],
};

describe("the settings of an SMS gateway", () => {
  it("need an address, a message and countries, and bound what may be spent", () => {
    const { limits, method, timeoutSeconds, except } = smsSchema.parse(LEAST);
    expect({ limits, method, timeoutSeconds, except }).to.deep.equal({
      limits: { personPerHour: 5, personPerDay: 10, perHour: 50, perDay: 200 },
      method: "POST",
      timeoutSeconds: 10,
      except: [],
    });
  });

  const right: readonly [string, object][] = [
    [
      "a form, and HTTP Basic",
      { json: undefined, form: { To: "{digits}", Body: "{text}" }, user: "u", secretFile: "f" },
    ],
    ["the secret in a header", { headers: { "X-Key": "{secret}" }, secretFile: "f" }],
    [
      "blanks deep in JSON, and values that are no text",
      { json: [{ a: { b: ["{to}", 1, null, true, "{text} {id}"] } }] },
    ],
    ["a pin", { pin: `${"A".repeat(43)}=` }],
    ["several countries with exceptions", { countries: ["+45", "+4670"], except: ["+4590"] }],
  ];
  for (const [what, more] of right)
    it(`may have ${what}`, () => expect(smsSchema.safeParse({ ...LEAST, ...more }).error).to.equal(undefined));

  const wrong: readonly [string, object, RegExp][] = [
    ["no TLS", { url: "http://sms.example.org/" }, /HTTPS/],
    ["a password in the address", { url: "https://u:p@sms.example.org/" }, /without a user name/],
    ["number or secret in the address", { url: "https://sms.example.org/?to={to}" }, /blanks to fill in/],
    ["no countries", { countries: [] }, /countries/],
    ["every country", { countries: ["+"] }, /first digits/],
    ["both form and JSON", { form: { a: "{to}{text}" } }, /form or json/],
    ["neither", { json: undefined }, /form or json/],
    ["no text", { json: { to: "{to}" } }, /needs \{text\}/],
    ["no number", { json: { text: "{text}" } }, /\{to\} or \{digits\}/],
    ["a blank that nobody knows", { json: { to: "{to}", text: "{text}", x: "{name}" } }, /\{name\}/],
    ["the code in a header", { headers: { "X-Text": "{text}" } }, /body alone/],
    ["a secret that nothing uses", { secretFile: "f" }, /secretFile together/],
    ["a secret that is used and not there", { headers: { "X-Key": "{secret}" } }, /secretFile together/],
    ["two log-ins", { user: "u", secretFile: "f", headers: { authorization: "x" } }, /not both/],
    ["a header of the connection", { headers: { Host: "elsewhere" } }, /not for settings/],
    ["a header of two lines", { headers: { "X-A": "a\r\nHost: b" } }, /one line/],
    ["authority and pin", { ca: "f", pin: `${"A".repeat(43)}=` }, /not both/],
    ["a redirect for success", { success: { statuses: [302] } }, /299/],
  ];
  for (const [what, more, words] of wrong)
    it(`may not have ${what}`, () => expect(smsSchema.safeParse({ ...LEAST, ...more }).error?.message).to.match(words));
});
