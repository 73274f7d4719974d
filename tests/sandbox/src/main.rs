//! Runs the sandbox for people: `cargo run -p sandbox -- --objects 100000`.

use clap::Parser;
use sandbox::Sandbox;

/// An in-tree Weaviate with made-up objects.
#[derive(Debug, Parser)]
struct Options {
    /// Port of the REST API; 0 takes any
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Server version to play: 1.24, 1.28, 1.32, 1.39 or 1.40
    #[arg(long, default_value = "1.40")]
    version: String,
    /// Name of the made-up collection
    #[arg(long, default_value = "Article")]
    class: String,
    /// How many objects it has; 0 makes none
    #[arg(long, default_value_t = 10_000)]
    objects: u64,
    /// Tenants, each with that many objects and every second one inactive; 0 makes a plain collection
    #[arg(long, default_value_t = 0)]
    tenants: u64,
    /// Dimensions of their vectors; 0 makes none
    #[arg(long = "dim", default_value_t = 384)]
    dimensions: usize,
    /// What they are made from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Nodes of the cluster
    #[arg(long, default_value_t = 1)]
    nodes: usize,
    /// Ask for the keys `rootkey`, `readkey` or `nonekey`
    #[arg(long)]
    keys: bool,
}

fn main() {
    let options = Options::parse();
    let mut builder = Sandbox::builder().version(&options.version).port(options.port).nodes(options.nodes);
    if options.keys {
        builder = builder.with_keys();
    }
    if options.objects > 0 {
        builder = builder.seeded(&options.class, options.objects, options.dimensions, options.seed);
        builder = builder.in_tenants(options.tenants);
    }
    let sandbox = builder.start_blocking();
    #[expect(clippy::print_stdout, reason = "whoever started it needs the address")]
    {
        println!("{}", sandbox.url());
    }
    sandbox.wait();
}
