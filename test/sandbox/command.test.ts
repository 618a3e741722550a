import { expect, test } from "vitest";
import { HELP, readOptions, readyLine, readyText } from "../../sandbox/command.ts";

test.each([
  [["--port", "70000"], "--port: 0 to 65535, not 70000"],
  [["--speed", "0"], "--speed: a positive number, not 0"],
  [["--runner", "docker"], "--runner: process or script, not docker"],
  [["--account", "1"], "--account: twelve digits, not 1"],
  [["--region", "Europe"], "--region: such as eu-west-1, not Europe"],
  [["--seeds"], "Unknown option '--seeds'"],
])("%j is refused with what would do", (argv, message) => {
  expect(() => readOptions(argv)).toThrow(message);
});

test("without arguments it is a seeded account in real time", () => {
  expect(readOptions([])).toMatchObject({ port: 4700, speed: 1, seed: true, runner: "process", throttling: false });
  expect(readOptions(["--no-seed", "--speed", "10"])).toMatchObject({ seed: false, speed: 10 });
});

test("every option stands in the help", () => {
  for (const name of Object.keys(readOptions([]))) expect(HELP).toContain(name === "seed" ? "--no-seed" : `--${name}`);
});

test("a program reads one line, a person how to use it", () => {
  const endpoints = {
    aws: "http://127.0.0.1:4700",
    services: { "dev/api": "http://127.0.0.1:1" },
    distributions: { E1: { aliases: ["dev.acme.dev"], url: "http://127.0.0.1:2" } },
  };
  const line = readyLine(endpoints, readOptions([]));
  expect(line.endsWith("\n")).toBe(true);
  expect(JSON.parse(line)).toMatchObject({
    url: "http://127.0.0.1:4700",
    control: "http://127.0.0.1:4700/_sandbox",
    region: "eu-west-1",
  });
  const text = readyText(endpoints, readOptions([]));
  expect(text).toContain("export AWS_ENDPOINT_URL=http://127.0.0.1:4700");
  expect(text).toContain("dev.acme.dev");
});
