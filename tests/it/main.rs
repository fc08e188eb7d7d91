//! Integration tests, a module per subject.

#[cfg(target_os = "linux")]
mod accepting;
mod around;
mod backon;
mod both_kernels;
mod budget;
mod budget_leaves;
mod busy_poll;
mod cancel_group;
mod cancel_loop;
mod cancel_net;
#[cfg(unix)]
mod cancel_servers;
mod cancel_sockets;
mod cancel_sync;
mod cancel_time;
mod cancelled_waits;
mod cancelling;
mod chaining;
mod children_by_std;
mod circles;
mod closing;
mod connect;
mod context;
mod copy;
mod cores;
mod cores_kv;
mod cores_port;
mod cores_sharded;
mod crash_everywhere;
mod cuts;
mod depth;
#[cfg(unix)]
mod descriptors;
#[cfg(unix)]
mod dump_on;
mod errors;
mod examples;
mod executors;
mod failures;
mod first_hour;
mod first_programs_asyncio;
mod first_programs_generators;
mod first_programs_tokio;
mod foreign_code;
mod fused;
mod generator;
mod generator_async;
mod generator_bad_use;
mod generator_block;
mod generator_delegation;
mod generator_examples;
mod generator_handles;
mod generator_model;
mod generator_results;
mod group;
mod group_examples;
mod group_model;
mod group_wakers;
mod guide;
mod guide_tests;
mod http_parser;
mod inlined;
mod io_duplex;
mod kernel_answers;
#[cfg(unix)]
mod kernel_answers_unix;
mod large;
mod layout;
mod lifecycle;
mod lines;
mod macro_shapes;
mod misuse;
mod net_examples;
mod on_loop;
mod order;
mod orderly_close;
#[cfg(unix)]
mod pipes;
mod policies;
#[cfg(unix)]
mod process;
#[cfg(target_os = "linux")]
mod process_dropped;
#[cfg(unix)]
mod process_examples;
#[cfg(unix)]
mod process_faults;
#[cfg(target_os = "linux")]
mod process_injected;
#[cfg(unix)]
mod process_load;
#[cfg(unix)]
mod process_protocol;
mod public_names;
mod read_to_end;
mod remote;
mod remote_calls;
mod remote_tokens;
mod runner;
mod scope;
mod scope_ends;
mod scope_failures;
mod server;
mod server_addresses;
mod server_rules;
mod server_state;
#[cfg(unix)]
mod shared_streams;
mod short_waits;
mod shut_down;
mod sight;
mod sight_awaits;
mod sight_deadlocks;
mod sight_examples;
mod sight_load;
mod sight_places;
mod sight_sizes;
mod simulated_descriptors;
mod simulated_doors;
mod simulated_examples;
mod simulated_order;
mod simulated_world;
mod socket_examples;
mod sources;
#[cfg(feature = "tracing")]
mod spans;
mod stdio;
mod stopping;
#[cfg(unix)]
mod stream_writer;
mod support;
mod sync_channels;
mod sync_conditions;
mod sync_examples;
mod sync_harness;
mod sync_locks;
mod sync_order;
mod sync_queues;
mod sync_reentrant;
mod sync_remote;
mod task_group;
mod tasks;
mod tcp;
mod tcp_faults;
mod testing_tools;
mod threads;
mod threads_closing;
#[cfg(unix)]
mod threads_examples;
mod time;
#[cfg(feature = "tls")]
mod tls;
mod transport;
mod udp;
mod udp_polls;
mod unix;
mod unix_ancillary;
mod virtual_clock;
mod watch;
mod watch_forgotten;
#[cfg(target_os = "linux")]
mod watchdog;
mod words;
