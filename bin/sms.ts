import { readPhoneNumber } from "../auth/destination.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { printed } from "../base/printed.ts";
import { SmsGateway } from "../bridge/client-side/sms-gateway.ts";
import { readSettings } from "./settings-file.ts";

/** Of what the gateway answers, as much as says what is wrong. */
const SHOWN_CHARACTERS = 500;

/** Sends one SMS as codes are sent, and says what came of it. */
export async function testSms(number: string, { config }: { readonly config: string }): Promise<void> {
  const to = readPhoneNumber(number);
  if (to === undefined)
    throw new Fault("invalid", `"${number}" is not a telephone number with its country, as +4512345678`);
  const { sms, cameraSide } = await readSettings(config);
  if (sms === undefined) throw new Fault("invalid", `${config} has no sms: see \`viaduct config example\``);
  const gateway = new SmsGateway(sms, cameraSide.interfaces, systemClock);
  const refusal = gateway.refusal(to);
  if (refusal !== undefined) throw new Fault("denied", `${refusal}: see sms.countries and sms.except in ${config}`);
  const { taken, status, text } = await gateway.deliver(to, "Viaduct can send codes to log in with to this number.");
  const { host } = new URL(sms.url);
  const answer = `It answered ${status}: ${printed(text.slice(0, SHOWN_CHARACTERS))}`;
  if (!taken) throw new Fault("unavailable", `${host} did not take the message. ${answer}`);
  process.stdout.write(`${host} has taken a message to ${to}. Look whether it arrives. ${answer}\n`);
}
