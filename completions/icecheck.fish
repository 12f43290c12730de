function __icecheck_should_offer_completions_for_flags_or_options -a expected_commands
    set -l non_repeating_flags_or_options $argv[2..]
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __icecheck_parse_tokens
    test "$commands" = "$expected_commands"; and return $non_repeating_flags_or_options_absent
end

function __icecheck_should_offer_completions_for_positional -a expected_commands positional_index_comparison expected_positional_index
    set -l non_repeating_flags_or_options
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __icecheck_parse_tokens
    test "$commands" = "$expected_commands" -a \( "$positional_index" "$positional_index_comparison" "$expected_positional_index" \)
end

function __icecheck_parse_tokens -S
    set -l unparsed_tokens (__icecheck_tokens -pc)
    switch $unparsed_tokens[1]
    case 'icecheck'
        __icecheck_parse_subcommand 0 'version' 'h/help'
        switch $unparsed_tokens[1]
        case 'check'
            __icecheck_parse_subcommand -r 1 'hairpin' 'user=' 'password=' 'password-file=' 'secret=' 'secret-file=' 'access-token-file=' 'ttl=' 'realm=' 'no-redirect' 'follow-private' 'ice-servers=+' '4/ipv4' '6/ipv6' 'interface=' 'bind=' 'ca-file=' 'insecure' 'dry-run' 'record=' 'no-progress' 'timeout=' 'format=' 'version' 'h/help'
        case 'candidates'
            __icecheck_parse_subcommand -r 1 'ice-servers=+' '4/ipv4' '6/ipv6' 'interface=' 'bind=' 'ca-file=' 'insecure' 'dry-run' 'record=' 'no-progress' 'timeout=' 'format=' 'version' 'h/help'
        case 'stun'
            __icecheck_parse_subcommand -r 1 'transport=' 'count=' 'ice-servers=+' '4/ipv4' '6/ipv6' 'interface=' 'bind=' 'ca-file=' 'insecure' 'dry-run' 'record=' 'no-progress' 'timeout=' 'format=' 'version' 'h/help'
        case 'nat'
            __icecheck_parse_subcommand -r 1 'hairpin' 'user=' 'password=' 'password-file=' 'secret=' 'secret-file=' 'access-token-file=' 'ttl=' 'realm=' 'no-redirect' 'follow-private' 'lifetime' 'ice-servers=+' '4/ipv4' '6/ipv6' 'interface=' 'bind=' 'ca-file=' 'insecure' 'dry-run' 'record=' 'no-progress' 'timeout=' 'format=' 'version' 'h/help'
        case 'turn'
            __icecheck_parse_subcommand -r 1 'user=' 'password=' 'password-file=' 'secret=' 'secret-file=' 'access-token-file=' 'ttl=' 'realm=' 'no-redirect' 'follow-private' 'all-transports' 'soak' 'count=' 'size=' 'duration=' 'relay-transport=' 'even-port' 'next-port' 'dont-fragment' 'both-families' 'ice-servers=+' '4/ipv4' '6/ipv6' 'interface=' 'bind=' 'ca-file=' 'insecure' 'dry-run' 'record=' 'no-progress' 'timeout=' 'format=' 'version' 'h/help'
            switch $unparsed_tokens[1]
            case 'credentials'
                __icecheck_parse_subcommand -r 1 'user=' 'password=' 'password-file=' 'secret=' 'secret-file=' 'access-token-file=' 'ttl=' 'realm=' 'no-redirect' 'follow-private' 'version' 'h/help'
            end
        case 'predict'
            __icecheck_parse_subcommand -r 1 'sfu' 'bitrate=' 'participants=' 'format=' 'version' 'h/help'
        case 'replay'
            __icecheck_parse_subcommand 1 'format=' 'version' 'h/help'
        case 'connect'
            __icecheck_parse_subcommand -r 1 'via=' 'stdio' 'send=' 'receive=' 'sdp' 'answer' 'force=' 'all-pairs' 'duration=' 'throughput' 'tcp' 'no-private' 'output=' 'user=' 'password=' 'password-file=' 'secret=' 'secret-file=' 'access-token-file=' 'ttl=' 'realm=' 'no-redirect' 'follow-private' 'ice-servers=+' '4/ipv4' '6/ipv6' 'interface=' 'bind=' 'ca-file=' 'insecure' 'dry-run' 'record=' 'no-progress' 'timeout=' 'format=' 'version' 'h/help'
        case 'serve'
            __icecheck_parse_subcommand 0 'listen=+' 'alternate=+' 'port=' 'alternate-port=' 'tls-port=' 'cert=' 'key=' 'user=+' 'secret=' 'secret-file=' 'realm=' 'relay-address=+' 'relay-ports=' 'allow-any-peer' 'max-allocations=' 'quota=' 'nonce-lifetime=' 'v/verbose' 'version' 'h/help'
        case 'decode'
            __icecheck_parse_subcommand 1 'password=' 'user=' 'realm=' 'format=' 'version' 'h/help'
        case 'explain'
            __icecheck_parse_subcommand -r 1 'format=' 'version' 'h/help'
        case 'schema'
            __icecheck_parse_subcommand 1 'closed' 'version' 'h/help'
        case 'help'
            __icecheck_parse_subcommand -r 1 'version'
        end
    end
end

function __icecheck_tokens
    if test (string split -m 1 -f 1 -- . "$FISH_VERSION") -gt 3
        commandline --tokens-raw $argv
    else
        commandline -o $argv
    end
end

function __icecheck_parse_subcommand -S -a positional_count
    argparse -s r -- $argv
    set -l option_specs $argv[2..]
    set -l is_repeating_positional $_flag_r
    set -el _flag_r
    set -a commands $unparsed_tokens[1]
    set positional_index 0
    while true
        set -e unparsed_tokens[1]
        argparse -sn "$commands" $option_specs -- $unparsed_tokens 2> /dev/null
        set unparsed_tokens $argv
        set positional_index (math $positional_index + 1)
        for non_repeating_flag_or_option in $non_repeating_flags_or_options
            if set -ql "_flag_$(string replace -a - _ -- $non_repeating_flag_or_option)"
                set non_repeating_flags_or_options_absent 1
                break
            end
        end
        test (count $unparsed_tokens) -eq 0 -o \( -z "$is_repeating_positional" -a "$positional_index" -gt "$positional_count" \) && break
    end
end

function __icecheck_complete_directories
    set -l token (commandline -t)
    string match -- '*/' $token
    set -l subdirs $token*/
    printf %s\n $subdirs
end

function __icecheck_custom_completion
    set -x SAP_SHELL fish
    set -x SAP_SHELL_VERSION $FISH_VERSION
    set -l tokens (__icecheck_tokens -p)
    if test -z "$(__icecheck_tokens -t)"
        set -l index (count (__icecheck_tokens -pc))
        set tokens $tokens[..$index] \'\' $tokens[(math $index + 1)..]
    end
    command $tokens[1] $argv $tokens
end

complete -c 'icecheck' -f
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck" -eq 1' -fa 'check' -d 'Run the whole diagnosis: candidates, servers, NAT, relays, one verdict. This is the default command.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck" -eq 1' -fa 'candidates' -d 'Gather this machine\'s ICE candidates, as a browser would offer them.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck" -eq 1' -fa 'stun' -d 'Query STUN servers for this machine\'s mapped address, and measure the round trip.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck" -eq 1' -fa 'nat' -d 'Determine how the NAT behaves, in the terms of RFC 4787.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck" -eq 1' -fa 'turn' -d 'Allocate relays on TURN servers, send data through them, and explain each failure.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck" -eq 1' -fa 'predict' -d 'Predict from saved reports which machines can reach each other, and how.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck" -eq 1' -fa 'replay' -d 'Report a recorded run again, without a network.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck" -eq 1' -fa 'connect' -d 'Connect to a peer by ICE, send data over the path that is found, and explain why other paths fail.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck" -eq 1' -fa 'serve' -d 'Run a STUN and TURN server to test against, between your own machines. Not for production.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck" -eq 1' -fa 'decode' -d 'Explain a pasted message, candidate, SDP or configuration field by field, and say what is wrong with it.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck" -eq 1' -fa 'explain' -d 'Explain a finding, an error code or a term, and what to do about it.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck" -eq 1' -fa 'schema' -d 'Prints the JSON Schema of what icecheck writes with --format json.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck" -eq 1' -fa 'help' -d 'Show subcommand help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" hairpin' -l 'hairpin' -d 'Test hairpinning. Some firewalls treat the test as an attack.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" user' -l 'user' -d 'The user of the TURN servers.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" password' -l 'password' -d 'The user\'s password. ICECHECK_TURN_PASSWORD or a file is better: no process list shows it.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" password-file' -l 'password-file' -d 'A file that holds the password; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" secret' -l 'secret' -d 'The shared secret of the TURN REST API (coturn: static-auth-secret), to make a temporary credential. ICECHECK_TURN_SECRET or a file is better.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" secret-file' -l 'secret-file' -d 'A file that holds the shared secret; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" access-token-file' -l 'access-token-file' -d 'A file with an access token of a third party (RFC 7635), as its authorization server answers: JSON with access_token and key (both base64) and kid, which is the user; - reads standard input. Also in ICECHECK_TURN_ACCESS_TOKEN.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" ttl' -l 'ttl' -d 'How long a credential made with the secret lives, in seconds.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" realm' -l 'realm' -d 'The realm that the credential was made for, to tell a wrong realm from a wrong password.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" no-redirect' -l 'no-redirect' -d 'Do not follow redirects (300 Try Alternate).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" follow-private' -l 'follow-private' -d 'Allow redirects from a public server to a private address.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check"' -l 'ice-servers' -d 'Servers from a file in the shape of RTCConfiguration or its iceServers; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" 4 ipv4' -s '4' -l 'ipv4' -d 'Use IPv4 only.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" 6 ipv6' -s '6' -l 'ipv6' -d 'Use IPv6 only.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" interface' -l 'interface' -d 'Use this interface only.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" bind' -l 'bind' -d 'Send from this local address only.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" ca-file' -l 'ca-file' -d 'Also trust the CA certificates in this PEM file.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" insecure' -l 'insecure' -d 'Do not verify TLS certificates (reported as a warning).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" dry-run' -l 'dry-run' -d 'Print the plan and send nothing.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" record' -l 'record' -d 'Also write the run to this new file, for icecheck replay. Secrets are left out.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" no-progress' -l 'no-progress' -d 'Show no live progress line on the terminal.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" timeout' -l 'timeout' -d 'The deadline of the whole run in seconds. (default: 5)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" format' -l 'format' -d 'text for people, json for programs, sdp for the a=candidate lines.' -rfka 'text json sdp'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck check" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates"' -l 'ice-servers' -d 'Servers from a file in the shape of RTCConfiguration or its iceServers; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates" 4 ipv4' -s '4' -l 'ipv4' -d 'Use IPv4 only.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates" 6 ipv6' -s '6' -l 'ipv6' -d 'Use IPv6 only.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates" interface' -l 'interface' -d 'Use this interface only.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates" bind' -l 'bind' -d 'Send from this local address only.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates" ca-file' -l 'ca-file' -d 'Also trust the CA certificates in this PEM file.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates" insecure' -l 'insecure' -d 'Do not verify TLS certificates (reported as a warning).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates" dry-run' -l 'dry-run' -d 'Print the plan and send nothing.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates" record' -l 'record' -d 'Also write the run to this new file, for icecheck replay. Secrets are left out.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates" no-progress' -l 'no-progress' -d 'Show no live progress line on the terminal.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates" timeout' -l 'timeout' -d 'The deadline of the whole run in seconds. (default: 5)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates" format' -l 'format' -d 'text for people, json for programs, sdp for the a=candidate lines.' -rfka 'text json sdp'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck candidates" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" transport' -l 'transport' -d 'Query over udp, tcp, or all of them.' -rfka 'udp tcp all'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" count' -l 'count' -d 'Requests to each address, 20 ms apart, to measure round trips, jitter and loss. (default: 1)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun"' -l 'ice-servers' -d 'Servers from a file in the shape of RTCConfiguration or its iceServers; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" 4 ipv4' -s '4' -l 'ipv4' -d 'Use IPv4 only.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" 6 ipv6' -s '6' -l 'ipv6' -d 'Use IPv6 only.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" interface' -l 'interface' -d 'Use this interface only.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" bind' -l 'bind' -d 'Send from this local address only.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" ca-file' -l 'ca-file' -d 'Also trust the CA certificates in this PEM file.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" insecure' -l 'insecure' -d 'Do not verify TLS certificates (reported as a warning).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" dry-run' -l 'dry-run' -d 'Print the plan and send nothing.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" record' -l 'record' -d 'Also write the run to this new file, for icecheck replay. Secrets are left out.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" no-progress' -l 'no-progress' -d 'Show no live progress line on the terminal.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" timeout' -l 'timeout' -d 'The deadline of the whole run in seconds. (default: 5, with --count 20 ms more for each request)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" format' -l 'format' -d 'text for people, json for programs.' -rfka 'text json'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck stun" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" hairpin' -l 'hairpin' -d 'Test hairpinning. Some firewalls treat the test as an attack.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" user' -l 'user' -d 'The user of the TURN servers.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" password' -l 'password' -d 'The user\'s password. ICECHECK_TURN_PASSWORD or a file is better: no process list shows it.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" password-file' -l 'password-file' -d 'A file that holds the password; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" secret' -l 'secret' -d 'The shared secret of the TURN REST API (coturn: static-auth-secret), to make a temporary credential. ICECHECK_TURN_SECRET or a file is better.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" secret-file' -l 'secret-file' -d 'A file that holds the shared secret; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" access-token-file' -l 'access-token-file' -d 'A file with an access token of a third party (RFC 7635), as its authorization server answers: JSON with access_token and key (both base64) and kid, which is the user; - reads standard input. Also in ICECHECK_TURN_ACCESS_TOKEN.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" ttl' -l 'ttl' -d 'How long a credential made with the secret lives, in seconds.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" realm' -l 'realm' -d 'The realm that the credential was made for, to tell a wrong realm from a wrong password.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" no-redirect' -l 'no-redirect' -d 'Do not follow redirects (300 Try Alternate).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" follow-private' -l 'follow-private' -d 'Allow redirects from a public server to a private address.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" lifetime' -l 'lifetime' -d 'Measure how long an idle UDP mapping lives, and thus the keepalive interval to set. It takes as long as the mapping lives, at most 6 minutes or what --timeout leaves.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat"' -l 'ice-servers' -d 'Servers from a file in the shape of RTCConfiguration or its iceServers; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" 4 ipv4' -s '4' -l 'ipv4' -d 'Use IPv4 only.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" 6 ipv6' -s '6' -l 'ipv6' -d 'Use IPv6 only.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" interface' -l 'interface' -d 'Use this interface only.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" bind' -l 'bind' -d 'Send from this local address only.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" ca-file' -l 'ca-file' -d 'Also trust the CA certificates in this PEM file.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" insecure' -l 'insecure' -d 'Do not verify TLS certificates (reported as a warning).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" dry-run' -l 'dry-run' -d 'Print the plan and send nothing.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" record' -l 'record' -d 'Also write the run to this new file, for icecheck replay. Secrets are left out.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" no-progress' -l 'no-progress' -d 'Show no live progress line on the terminal.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" timeout' -l 'timeout' -d 'The deadline of the whole run in seconds. (default: 5, with --lifetime 372)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" format' -l 'format' -d 'text for people, json for programs.' -rfka 'text json'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck nat" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" user' -l 'user' -d 'The user of the TURN servers.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" password' -l 'password' -d 'The user\'s password. ICECHECK_TURN_PASSWORD or a file is better: no process list shows it.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" password-file' -l 'password-file' -d 'A file that holds the password; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" secret' -l 'secret' -d 'The shared secret of the TURN REST API (coturn: static-auth-secret), to make a temporary credential. ICECHECK_TURN_SECRET or a file is better.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" secret-file' -l 'secret-file' -d 'A file that holds the shared secret; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" access-token-file' -l 'access-token-file' -d 'A file with an access token of a third party (RFC 7635), as its authorization server answers: JSON with access_token and key (both base64) and kid, which is the user; - reads standard input. Also in ICECHECK_TURN_ACCESS_TOKEN.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" ttl' -l 'ttl' -d 'How long a credential made with the secret lives, in seconds.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" realm' -l 'realm' -d 'The realm that the credential was made for, to tell a wrong realm from a wrong password.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" no-redirect' -l 'no-redirect' -d 'Do not follow redirects (300 Try Alternate).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" follow-private' -l 'follow-private' -d 'Allow redirects from a public server to a private address.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" all-transports' -l 'all-transports' -d 'Try each server over every transport: turn: over UDP and TCP, turns: over TLS and DTLS.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" soak' -l 'soak' -d 'Keep each relay busy for 11 minutes, to find what breaks calls after some time. With --timeout N: N - 30 seconds.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" count' -l 'count' -d 'Datagrams through each relay in indications, and as many over a channel. (default: 3)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" size' -l 'size' -d 'Bytes of each datagram, 26 to 8192.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" duration' -l 'duration' -d 'Spread each series of datagrams over this many seconds.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" relay-transport' -l 'relay-transport' -d 'What the relay carries between itself and peers. TCP relays (RFC 6062) are allocated over TCP or TLS: turn:host is then tried over TCP.' -rfka 'udp tcp'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" even-port' -l 'even-port' -d 'Ask for an even relayed port (EVEN-PORT).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" next-port' -l 'next-port' -d 'Ask for an even relayed port and to reserve the next one, then allocate that (RESERVATION-TOKEN).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" dont-fragment' -l 'dont-fragment' -d 'Ask the server not to fragment what it relays (DONT-FRAGMENT).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" both-families' -l 'both-families' -d 'Ask for relayed addresses of both families in one allocation (ADDITIONAL-ADDRESS-FAMILY).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn"' -l 'ice-servers' -d 'Servers from a file in the shape of RTCConfiguration or its iceServers; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" 4 ipv4' -s '4' -l 'ipv4' -d 'Use IPv4 only.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" 6 ipv6' -s '6' -l 'ipv6' -d 'Use IPv6 only.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" interface' -l 'interface' -d 'Use this interface only.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" bind' -l 'bind' -d 'Send from this local address only.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" ca-file' -l 'ca-file' -d 'Also trust the CA certificates in this PEM file.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" insecure' -l 'insecure' -d 'Do not verify TLS certificates (reported as a warning).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" dry-run' -l 'dry-run' -d 'Print the plan and send nothing.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" record' -l 'record' -d 'Also write the run to this new file, for icecheck replay. Secrets are left out.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" no-progress' -l 'no-progress' -d 'Show no live progress line on the terminal.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" timeout' -l 'timeout' -d 'The deadline of the whole run in seconds. (default: 10, with --soak 690)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" format' -l 'format' -d 'text for people, json for programs.' -rfka 'text json'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck turn" -eq 1' -fa 'credentials' -d 'Print a temporary credential of the TURN REST API, made with the server\'s shared secret.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn credentials" user' -l 'user' -d 'The user of the TURN servers.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn credentials" password' -l 'password' -d 'The user\'s password. ICECHECK_TURN_PASSWORD or a file is better: no process list shows it.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn credentials" password-file' -l 'password-file' -d 'A file that holds the password; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn credentials" secret' -l 'secret' -d 'The shared secret of the TURN REST API (coturn: static-auth-secret), to make a temporary credential. ICECHECK_TURN_SECRET or a file is better.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn credentials" secret-file' -l 'secret-file' -d 'A file that holds the shared secret; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn credentials" access-token-file' -l 'access-token-file' -d 'A file with an access token of a third party (RFC 7635), as its authorization server answers: JSON with access_token and key (both base64) and kid, which is the user; - reads standard input. Also in ICECHECK_TURN_ACCESS_TOKEN.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn credentials" ttl' -l 'ttl' -d 'How long a credential made with the secret lives, in seconds.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn credentials" realm' -l 'realm' -d 'The realm that the credential was made for, to tell a wrong realm from a wrong password.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn credentials" no-redirect' -l 'no-redirect' -d 'Do not follow redirects (300 Try Alternate).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn credentials" follow-private' -l 'follow-private' -d 'Allow redirects from a public server to a private address.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn credentials" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck turn credentials" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck predict" sfu' -l 'sfu' -d 'Also predict paths to an SFU on a public host.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck predict" bitrate' -l 'bitrate' -d 'The rate of one stream of a call, in kbit/s.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck predict" participants' -l 'participants' -d 'How many machines take part in a call. (default: all)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck predict" format' -l 'format' -d 'text for people, json for programs.' -rfka 'text json'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck predict" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck predict" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck replay" format' -l 'format' -d 'text for people, json for programs, sdp for the a=candidate lines.' -rfka 'text json sdp'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck replay" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck replay" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" via' -l 'via' -d 'Run this with sh -c; its standard input and output lead to the peer.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" stdio' -l 'stdio' -d 'Standard input and output lead to the peer: nothing but signaling is written there.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" send' -l 'send' -d 'Write the local line to a file or FIFO.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" receive' -l 'receive' -d 'Read the peer\'s line from a file or FIFO, which may appear later.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" sdp' -l 'sdp' -d 'Speak SDP: a JSON object with type and sdp on a line, and trickled candidates on others.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" answer' -l 'answer' -d 'With --sdp: wait for an offer and answer it.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" force' -l 'force' -d 'Use one kind of candidate only: host, srflx or relay.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" all-pairs' -l 'all-pairs' -d 'Finish checking all pairs even after one is selected.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" duration' -l 'duration' -d 'Send data for this many seconds, 0.1 to 600.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" throughput' -l 'throughput' -d 'Also measure throughput for the same time, yielding to other traffic.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" tcp' -l 'tcp' -d 'Also offer TCP candidates (RFC 6544).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" no-private' -l 'no-private' -d 'Send no checks to the peer\'s private addresses.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" output' -l 'output' -d 'Write the report to this file.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" user' -l 'user' -d 'The user of the TURN servers.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" password' -l 'password' -d 'The user\'s password. ICECHECK_TURN_PASSWORD or a file is better: no process list shows it.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" password-file' -l 'password-file' -d 'A file that holds the password; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" secret' -l 'secret' -d 'The shared secret of the TURN REST API (coturn: static-auth-secret), to make a temporary credential. ICECHECK_TURN_SECRET or a file is better.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" secret-file' -l 'secret-file' -d 'A file that holds the shared secret; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" access-token-file' -l 'access-token-file' -d 'A file with an access token of a third party (RFC 7635), as its authorization server answers: JSON with access_token and key (both base64) and kid, which is the user; - reads standard input. Also in ICECHECK_TURN_ACCESS_TOKEN.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" ttl' -l 'ttl' -d 'How long a credential made with the secret lives, in seconds.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" realm' -l 'realm' -d 'The realm that the credential was made for, to tell a wrong realm from a wrong password.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" no-redirect' -l 'no-redirect' -d 'Do not follow redirects (300 Try Alternate).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" follow-private' -l 'follow-private' -d 'Allow redirects from a public server to a private address.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect"' -l 'ice-servers' -d 'Servers from a file in the shape of RTCConfiguration or its iceServers; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" 4 ipv4' -s '4' -l 'ipv4' -d 'Use IPv4 only.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" 6 ipv6' -s '6' -l 'ipv6' -d 'Use IPv6 only.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" interface' -l 'interface' -d 'Use this interface only.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" bind' -l 'bind' -d 'Send from this local address only.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" ca-file' -l 'ca-file' -d 'Also trust the CA certificates in this PEM file.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" insecure' -l 'insecure' -d 'Do not verify TLS certificates (reported as a warning).'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" dry-run' -l 'dry-run' -d 'Print the plan and send nothing.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" record' -l 'record' -d 'Also write the run to this new file, for icecheck replay. Secrets are left out.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" no-progress' -l 'no-progress' -d 'Show no live progress line on the terminal.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" timeout' -l 'timeout' -d 'The deadline of the whole run in seconds. (default: 60 where a program carries the lines, else 600)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" format' -l 'format' -d 'text for people, json for programs.' -rfka 'text json'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck connect" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve"' -l 'listen' -d 'Listen on this address; once for each family.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve"' -l 'alternate' -d 'The second address of RFC 5780, of the same family as a --listen.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" port' -l 'port' -d 'The port; 0 leaves the choice to the system.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" alternate-port' -l 'alternate-port' -d 'The second port of RFC 5780. (default: the port after --port)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" tls-port' -l 'tls-port' -d 'The port for TLS and DTLS, which are served where TURN is, or --cert is given; 0 leaves the choice to the system.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" cert' -l 'cert' -d 'The certificate chain for TLS and DTLS (PEM). (default: one made for the run)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" key' -l 'key' -d 'The key of --cert (PEM).' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve"' -l 'user' -d 'Serve TURN for this user; may be repeated. Without :PASSWORD it is in ICECHECK_TURN_PASSWORD.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" secret' -l 'secret' -d 'Serve TURN for the credentials of this TURN REST secret; also in ICECHECK_TURN_SECRET.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" secret-file' -l 'secret-file' -d 'Read the TURN REST secret from this file; - reads standard input.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" realm' -l 'realm' -d 'The realm of the credentials. (default: icecheck)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve"' -l 'relay-address' -d 'Relay from this local address, or advertise this public one if a NAT forwards it; once for each family. (default: the --listen address of the family)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" relay-ports' -l 'relay-ports' -d 'The ports of the relay sockets. (default: 49152-65535)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" allow-any-peer' -l 'allow-any-peer' -d 'Relay to any address, and not only to loopback and private ones.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" max-allocations' -l 'max-allocations' -d 'Allocations at a time, of all users. (default: 256)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" quota' -l 'quota' -d 'Allocations at a time of one user. (default: 64)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" nonce-lifetime' -l 'nonce-lifetime' -d 'How long a nonce is good. (default: 3600)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" v verbose' -s 'v' -l 'verbose' -d 'Print a line for each answer and for what becomes of each allocation.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck serve" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck decode" password' -l 'password' -d 'Check MESSAGE-INTEGRITY with this password. Other users can see it in the process list for a moment; ICECHECK_TURN_PASSWORD in the environment is safer.' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck decode" user' -l 'user' -d 'The user name of a long-term credential. (default: the message\'s)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck decode" realm' -l 'realm' -d 'The realm of a long-term credential. (default: the message\'s)' -rfka ''
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck decode" format' -l 'format' -d 'text for people, json for programs.' -rfka 'text json'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck decode" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck decode" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck explain" format' -l 'format' -d 'text for people, json for programs.' -rfka 'text json'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck explain" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck explain" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_positional "icecheck schema" -eq 1' -fka 'report decode'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck schema" closed' -l 'closed' -d 'Refuse keys that are not declared.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck schema" version' -l 'version' -d 'Show the version.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck schema" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'icecheck' -n '__icecheck_should_offer_completions_for_flags_or_options "icecheck help" version' -l 'version' -d 'Show the version.'
