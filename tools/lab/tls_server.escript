#!/usr/bin/env escript
%% SPDX-License-Identifier: BSD-2-Clause
%% A TLS server of Erlang's own TLS, which answers a request and closes.
%%
%% usage: tls_server.escript ADDRESS PORT CERTIFICATE KEY [CA_OF_CLIENTS]

main([Address, Port, Certificate, Key | CA]) ->
    {ok, _} = application:ensure_all_started(ssl),
    logger:set_primary_config(level, none),
    {ok, IP} = inet:parse_address(Address),
    Asks = [Option || File <- CA,
                      Option <- [{cacertfile, File}, {verify, verify_peer}, {fail_if_no_peer_cert, true}]],
    {ok, Listener} = ssl:listen(list_to_integer(Port),
                                [{ip, IP}, {reuseaddr, true}, {certfile, Certificate}, {keyfile, Key},
                                 {versions, ['tlsv1.3', 'tlsv1.2']} | Asks]),
    accept(Listener).

accept(Listener) ->
    {ok, Transport} = ssl:transport_accept(Listener),
    Server = spawn(fun() -> receive yours -> serve(Transport) end end),
    ok = ssl:controlling_process(Transport, Server),
    Server ! yours,
    accept(Listener).

serve(Transport) ->
    case ssl:handshake(Transport, 5000) of
        {ok, Socket} ->
            ssl:recv(Socket, 0, 5000),
            ssl:send(Socket, "HTTP/1.0 200 OK\r\n\r\nok\n"),
            ssl:close(Socket);
        {error, _} ->
            ok
    end.
