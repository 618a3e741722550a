// A small migration: says what it does and exits with MIGRATE_EXIT, after MIGRATE_MS.

const { GIT_SHA = "unknown", MIGRATE_EXIT = "0", MIGRATE_MS = "200" } = process.env;
const steps = ["0041_add_orders_index", "0042_add_currency_column"];

process.stdout.write(`migrating to ${GIT_SHA.slice(0, 7)}: ${steps.length} pending\n`);
for (const [at, step] of steps.entries()) {
  await new Promise((resolve) => setTimeout(resolve, Number(MIGRATE_MS) / steps.length));
  if (MIGRATE_EXIT !== "0" && at === steps.length - 1) {
    process.stderr.write(`${step}: ERROR: column "currency" of relation "orders" contains null values\n`);
    process.exit(Number(MIGRATE_EXIT));
  }
  process.stdout.write(`${step}: done\n`);
}
process.stdout.write("migrated\n");
