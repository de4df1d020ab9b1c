/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same with Vala's async methods, which are stackless. */

const int SPAWNED_AT_ONCE = 1000;
const int HOUR = 3600;

[CCode (cheader_filename = "next-turn.h", cname = "next_turn_async", finish_name = "next_turn_finish")]
extern async bool next_turn (Cancellable? cancellable) throws Error;

[CCode (cheader_filename = "measure.h")]
extern uint64 n_times;
[CCode (cheader_filename = "measure.h")]
extern uint n_tasks;
[CCode (cheader_filename = "measure.h")]
extern void print_clocks ();
[CCode (cheader_filename = "measure.h")]
extern double random_sleep (uint i);

Cancellable cancellable;

async void
nothing ()
{
}

async void
wait_for (double seconds)
{
  Timeout.add ((uint) (seconds * 1000), wait_for.callback);
  yield;
}

async void
spawn ()
{
  for (uint64 i = 0; i < n_times; i += SPAWNED_AT_ONCE)
    {
      int n_left = SPAWNED_AT_ONCE;

      for (int j = 0; j < SPAWNED_AT_ONCE; j++)
        nothing.begin ((source, result) => {
          nothing.end (result);
          if (--n_left == 0)
            spawn.callback ();
        });
      yield;
    }
}

async void
spawn_await ()
{
  for (uint64 i = 0; i < n_times; i++)
    yield nothing ();
}

async void
let_others_run_again_and_again ()
{
  for (uint64 i = 0; i < n_times; i += n_tasks)
    {
      Idle.add (let_others_run_again_and_again.callback, Priority.DEFAULT);
      yield;
    }
}

async void
let_others_run ()
{
  uint n_left = n_tasks;

  for (uint i = 0; i < n_tasks; i++)
    let_others_run_again_and_again.begin ((source, result) => {
      let_others_run_again_and_again.end (result);
      if (--n_left == 0)
        let_others_run.callback ();
    });
  yield;
}

async void
gtask () throws Error
{
  for (uint64 i = 0; i < n_times; i++)
    yield next_turn (cancellable);
}

void
prepare_crowd ()
{
  for (uint i = 0; i < n_tasks; i++)
    wait_for.begin (HOUR);
}

async void
sleepers ()
{
  uint64 n_left = n_times;

  for (uint i = 0; i < n_times; i++)
    wait_for.begin (random_sleep (i), (source, result) => {
      wait_for.end (result);
      if (--n_left == 0)
        sleepers.callback ();
    });
  yield;
}

async void
run (string bench) throws Error
{
  if (bench == "crowd")
    prepare_crowd ();
  print_clocks ();
  switch (bench)
    {
    case "spawn":
      yield spawn ();
      break;
    case "spawn-await":
    case "call":
      yield spawn_await ();
      break;
    case "yield":
      yield let_others_run ();
      break;
    case "gtask":
    case "crowd":
      yield gtask ();
      break;
    case "sleepers":
      yield sleepers ();
      break;
    default:
      error ("there is no %s here", bench);
    }
  print_clocks ();
}

int
main (string[] args)
{
  if (args.length < 3)
    {
      print ("spawn\nspawn-await\nyield\ncall\ngtask\ncrowd\nsleepers\n");
      return 0;
    }

  var loop = new MainLoop ();

  n_times = uint64.parse (args[2]);
  n_tasks = args.length > 3 ? (uint) uint64.parse (args[3]) : 0;
  cancellable = new Cancellable ();
  run.begin (args[1], (source, result) => {
    try {
      run.end (result);
    } catch (Error error) {
      GLib.error ("The work failed: %s", error.message);
    }
    loop.quit ();
  });
  loop.run ();
  return 0;
}
