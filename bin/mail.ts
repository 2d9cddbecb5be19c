import { isMailAddress } from "../auth/mail-address.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { Mailer } from "../bridge/client-side/mailer.ts";
import { mailPortOf } from "../bridge/mail-settings.ts";
import { readSettings } from "./settings-file.ts";

/** Sends one message as codes are sent, and says what came of it. */
export async function testMail(to: string, { config }: { readonly config: string }): Promise<void> {
  if (!isMailAddress(to)) throw new Fault("invalid", `"${to}" is not an e-mail address`);
  const { mail, cameraSide } = await readSettings(config);
  if (mail === undefined) throw new Fault("invalid", `${config} has no mail: see \`viaduct config example\``);
  const mailer = new Mailer(mail, cameraSide.interfaces, systemClock);
  const server = `${mail.host}:${mailPortOf(mail)}`;
  await mailer.deliver(to, "Test of Viaduct", "Viaduct can send codes to log in with to this address.\n");
  process.stdout.write(`${server} has taken a message to ${to}. Look whether it arrives.\n`);
}
