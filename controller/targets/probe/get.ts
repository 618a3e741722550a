// One GET for a health check: few redirects on the same host, a short body, and never an address of the machine's own cloud.
import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { LIMITS } from "../../core/limits.ts";

export interface Answer {
  readonly status: number;
  /** At most LIMITS.healthBytes of it. */
  readonly body: string;
  readonly truncated: boolean;
}

/** Rejects with what went wrong, in words for people; with the signal's reason when it aborts. */
export type Get = (url: string, signal: AbortSignal) => Promise<Answer>;

/** All addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

const USER_AGENT = "lockstep-health";

/**
 * Addresses that answer with the credentials of the machine or task asking: instance and task metadata, also written
 * as IPv6 (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html).
 */
const refused = new BlockList();
refused.addSubnet("169.254.0.0", 16, "ipv4");
refused.addSubnet("fe80::", 10, "ipv6");
refused.addSubnet("::ffff:169.254.0.0", 112, "ipv6");
refused.addSubnet("64:ff9b::169.254.0.0", 112, "ipv6");
refused.addAddress("fd00:ec2::254", "ipv6");
refused.addAddress("fd00:ec2::23", "ipv6");

/** A GET with its own resolution, so that the address that was checked is the address that is asked. */
export function createGet(resolve: Resolve = resolveBySystem): Get {
  async function follow(url: URL, redirects: number, signal: AbortSignal): Promise<Answer> {
    const answer = await send(url, await pinned(url, resolve, signal), signal);
    const { location, ...rest } = answer;
    if (location === undefined || ![301, 302, 303, 307, 308].includes(answer.status)) return rest;
    const next = new URL(location, url);
    if (!isSameHost(url, next)) throw new Error(`${answer.status}: redirected to another host, ${next.origin}`);
    if (redirects === 0) throw new Error(`more than ${LIMITS.healthRedirects} redirects, last to ${next.href}`);
    return follow(next, redirects - 1, signal);
  }

  return async (url, signal) => follow(new URL(url), LIMITS.healthRedirects, signal);
}

/** Resolves once and checks every address; the connection is made to one of these and to no other. */
async function pinned(url: URL, resolve: Resolve, signal: AbortSignal): Promise<LookupFunction> {
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new Error(`${url.protocol} is not http or https`);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const family = isIP(host);
  const all = family === 0 ? await unless(signal, resolve(host)) : [{ address: host, family }];
  const bad = all.find(({ address }) => isRefused(address));
  if (bad !== undefined) throw refusal(host, bad.address);
  const [first] = all;
  if (first === undefined) throw new Error(`${host} has no address`);
  return (_, options, callback) => {
    if (options.all === true) callback(null, [...all]);
    else callback(null, first.address, first.family);
  };
}

async function unless<Value>(signal: AbortSignal, value: Promise<Value>): Promise<Value> {
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([value, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function send(
  url: URL,
  lookup: LookupFunction,
  signal: AbortSignal,
): Promise<Answer & { readonly location?: string }> {
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  const headers = { accept: "*/*", "user-agent": USER_AGENT, connection: "close" };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const going = request(url, { method: "GET", lookup, signal, headers, agent: false }, resolve);
    going.on("error", reject);
    going.end();
  });
  const { body, truncated } = await read(response);
  const { location } = response.headers;
  return { status: response.statusCode ?? 0, body, truncated, ...(location === undefined ? {} : { location }) };
}

async function read(response: IncomingMessage): Promise<Pick<Answer, "body" | "truncated">> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop destroys the response and its connection.
    if (length > LIMITS.healthBytes) break;
  }
  const body = Buffer.concat(chunks).subarray(0, LIMITS.healthBytes).toString("utf8");
  return { body, truncated: length > LIMITS.healthBytes };
}

/** The same name and port; http may become https at their usual ports, and never the other way. */
function isSameHost(from: URL, to: URL): boolean {
  if (from.hostname !== to.hostname || (from.protocol === "https:" && to.protocol !== "https:")) return false;
  return from.port === to.port;
}

function isRefused(address: string): boolean {
  const [plain = address] = address.split("%");
  return refused.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
}

function refusal(host: string, address: string): Error {
  const name = host === address ? host : `${host} (${address})`;
  return new Error(`${name} is a link-local or metadata address, which health checks never ask`);
}

function resolveBySystem(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  });
}
