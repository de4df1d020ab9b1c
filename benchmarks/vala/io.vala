/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing with Vala's async methods. */

const int FILES_AT_ONCE = 100;
const string ATTRIBUTES = FileAttribute.STANDARD_NAME + "," + FileAttribute.STANDARD_TYPE;

[CCode (cheader_filename = "io.h")]
extern uint64 n_times;
[CCode (cheader_filename = "io.h")]
extern uint n_tasks;
[CCode (cheader_filename = "io.h")]
extern void print_clocks ();
[CCode (cheader_filename = "io.h")]
extern const int MESSAGE_SIZE;
[CCode (cheader_filename = "io.h")]
extern const int BLOCK_SIZE;
[CCode (cheader_filename = "io.h")]
extern const int BULK_SIZE;
[CCode (cheader_filename = "io.h")]
extern const int BULK_READ_SIZE;
[CCode (cheader_filename = "io.h")]
extern const int REQUEST_SIZE;
[CCode (cheader_filename = "io.h")]
extern const int COPIED_AT_ONCE;
[CCode (cheader_filename = "io.h", cname = "response")]
extern unowned string RESPONSE;
[CCode (cheader_filename = "io.h")]
extern SocketAddress listen_on_loopback (SocketListener listener);
[CCode (cheader_filename = "io.h")]
extern void print_port (SocketAddress address);
[CCode (cheader_filename = "io.h")]
extern bool is_request (uint8* request, size_t n);
[CCode (cheader_filename = "io.h")]
extern void open_pipe (out InputStream input, out OutputStream output);
[CCode (cheader_filename = "io.h")]
extern Socket new_datagram_socket ();
[CCode (cheader_filename = "io.h")]
extern SocketAddress address_of (Socket socket);

/* Waits until as many methods have ended as have begun. */
class Gathering
{
  private uint n_left = 0;
  private SourceFunc? callback = null;

  public void begin ()
  {
    n_left++;
  }

  public void end ()
  {
    if (--n_left == 0 && callback != null)
      callback ();
  }

  public async void all ()
  {
    callback = all.callback;
    if (n_left > 0)
      yield;
  }
}

Gathering gathering;

delegate void Finish () throws Error;

void
finish (Finish method)
{
  try {
    method ();
  } catch (Error error) {
    GLib.error ("The work failed: %s", error.message);
  }
  gathering.end ();
}

async void
write_all (OutputStream output, uint8[] bytes) throws Error
{
  for (int written = 0; written < bytes.length;)
    written += (int) yield output.write_async (bytes[written:bytes.length]);
}

/* ---- Connections ---- */

SocketConnection[] connections;

/* Opens n_tasks connections, and has @serve at the other ends. */
void
open_connections (Serve serve) throws Error
{
  var listener = new SocketListener ();
  var address = listen_on_loopback (listener);
  var client = new SocketClient ();

  for (uint i = 0; i < n_tasks; i++)
    {
      connections += client.connect (address);
      serve (listener.accept ());
    }
}

delegate void Serve (SocketConnection connection);

async void
send_back (SocketConnection connection) throws Error
{
  var message = new uint8[MESSAGE_SIZE];

  for (;;)
    {
      var n = yield connection.input_stream.read_async (message);

      if (n == 0)
        return;
      yield write_all (connection.output_stream, message[0:n]);
    }
}

async void
send_and_receive (SocketConnection connection) throws Error
{
  var message = new uint8[MESSAGE_SIZE];

  for (uint64 i = 0; i < n_times; i += n_tasks)
    {
      yield write_all (connection.output_stream, message);

      var n = yield connection.input_stream.read_async (message);

      if (n < MESSAGE_SIZE)
        error ("it came in parts");
    }
}

async void
echo () throws Error
{
  foreach (var connection in connections)
    {
      gathering.begin ();
      send_and_receive.begin (connection, (source, result) => {
        finish (() => send_and_receive.end (result));
      });
    }
  yield gathering.all ();
}

/* ---- What goes one way ---- */

OutputStream flow_out;

async void
write_again_and_again (int size) throws Error
{
  var bytes = new uint8[size];

  for (uint64 i = 0; i < n_times; i++)
    yield write_all (flow_out, bytes);
}

async void
read_much (InputStream input, uint64 much, int at_once) throws Error
{
  var buffer = new uint8[at_once];

  while (much > 0)
    {
      var n = yield input.read_async (buffer);

      if (n == 0)
        error ("it ended");
      much -= n;
    }
}

void
begin_reading (InputStream input, int size, int at_once)
{
  gathering.begin ();
  read_much.begin (input, n_times * size, at_once, (source, result) => {
    finish (() => read_much.end (result));
  });
}

void
prepare_bulk () throws Error
{
  open_connections ((connection) => begin_reading (connection.input_stream, BULK_SIZE, BULK_READ_SIZE));
  flow_out = connections[0].output_stream;
}

void
prepare_pipe ()
{
  InputStream input;

  open_pipe (out input, out flow_out);
  begin_reading (input, BLOCK_SIZE, BLOCK_SIZE);
}

async void
flow (int size) throws Error
{
  yield write_again_and_again (size);
  yield gathering.all ();
}

/* ---- A server ---- */

SocketListener http_listener;

void
prepare_http ()
{
  http_listener = new SocketListener ();
  print_port (listen_on_loopback (http_listener));
}

async void
answer_requests (SocketConnection connection) throws Error
{
  var request = new uint8[REQUEST_SIZE];
  size_t length = 0;

  for (;;)
    {
      var n = yield connection.input_stream.read_async (request[length:REQUEST_SIZE]);

      if (n == 0)
        return;
      length += n;
      if (!is_request (request, length))
        continue;
      length = 0;
      yield write_all (connection.output_stream, RESPONSE.data);
    }
}

/* A client that has gone is not a failure. */
async void
http () throws Error
{
  for (;;)
    answer_requests.begin (yield http_listener.accept_async ());
}

/* ---- Datagrams ---- */

async size_t
receive_datagram (Socket socket, uint8[] message, out SocketAddress from) throws Error
{
  var source = socket.create_source (IOCondition.IN);

  source.set_callback ((socket, condition) => {
    receive_datagram.callback ();
    return Source.REMOVE;
  });
  source.attach ();
  yield;
  return socket.receive_from (out from, message);
}

Socket datagrams;
SocketAddress destination;

async void
send_datagrams_back (Socket socket) throws Error
{
  var message = new uint8[MESSAGE_SIZE];

  for (;;)
    {
      SocketAddress from;
      var n = yield receive_datagram (socket, message, out from);

      socket.send_to (from, message[0:n]);
    }
}

void
prepare_udp ()
{
  var other = new_datagram_socket ();

  datagrams = new_datagram_socket ();
  destination = address_of (other);
  send_datagrams_back.begin (other);
}

async void
udp () throws Error
{
  var message = new uint8[MESSAGE_SIZE];

  for (uint64 i = 0; i < n_times; i++)
    {
      SocketAddress from;

      datagrams.send_to (destination, message);
      yield receive_datagram (datagrams, message, out from);
    }
}

/* ---- Files ---- */

async void
load_again_and_again () throws Error
{
  var file = File.new_for_path ("file");

  for (uint64 i = 0; i < n_times; i += n_tasks)
    {
      uint8[] text;

      yield file.load_contents_async (null, out text, null);
      if (text.length != BLOCK_SIZE)
        error ("it is not all there");
    }
}

async void
load () throws Error
{
  for (uint i = 0; i < n_tasks; i++)
    {
      gathering.begin ();
      load_again_and_again.begin ((source, result) => {
        finish (() => load_again_and_again.end (result));
      });
    }
  yield gathering.all ();
}

/* If the allowed number of copies runs, the next one has to wait. */
uint n_copying;
SourceFunc? place_is_free;

async void
copy_file (File source, File destination) throws Error
{
  yield source.copy_async (destination, FileCopyFlags.NONE);
  n_copying--;
  if (place_is_free != null)
    {
      var callback = (owned) place_is_free;

      callback ();
    }
}

async void
copy_folder (File source, File folder) throws Error
{
  var enumerator = yield source.enumerate_children_async (ATTRIBUTES, FileQueryInfoFlags.NOFOLLOW_SYMLINKS);

  yield folder.make_directory_async ();
  for (;;)
    {
      var infos = yield enumerator.next_files_async (FILES_AT_ONCE);

      if (infos == null)
        return;
      foreach (var info in infos)
        {
          var from = source.get_child (info.get_name ());
          var to = folder.get_child (info.get_name ());

          if (info.get_file_type () == FileType.DIRECTORY)
            {
              yield copy_folder (from, to);
              continue;
            }
          if (n_copying == COPIED_AT_ONCE)
            {
              place_is_free = copy_folder.callback;
              yield;
            }
          n_copying++;
          gathering.begin ();
          copy_file.begin (from, to, (object, result) => {
            finish (() => copy_file.end (result));
          });
        }
    }
}

async void
copy_tree () throws Error
{
  yield copy_folder (File.new_for_path ("tree"), File.new_for_path ("copy"));
  yield gathering.all ();
}

void
prepare (string bench) throws Error
{
  switch (bench)
    {
    case "echo":
      open_connections ((connection) => send_back.begin (connection));
      break;
    case "bulk":
      prepare_bulk ();
      break;
    case "idle":
      prepare_http ();
      break;
    case "pipe":
      prepare_pipe ();
      break;
    case "udp":
      prepare_udp ();
      break;
    }
}

async void
run (string bench) throws Error
{
  prepare (bench);
  print_clocks ();
  switch (bench)
    {
    case "echo":
      yield echo ();
      break;
    case "bulk":
      yield flow (BULK_SIZE);
      break;
    case "idle":
      yield http ();
      break;
    case "pipe":
      yield flow (BLOCK_SIZE);
      break;
    case "udp":
      yield udp ();
      break;
    case "load":
      yield load ();
      break;
    case "copy-tree":
      yield copy_tree ();
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
      print ("echo\nbulk\nidle\npipe\nudp\nload\ncopy-tree\n");
      return 0;
    }

  var loop = new MainLoop ();

  n_times = uint64.parse (args[2]);
  n_tasks = args.length > 3 ? (uint) uint64.parse (args[3]) : 0;
  gathering = new Gathering ();
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
