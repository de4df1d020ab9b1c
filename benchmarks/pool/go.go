// SPDX-License-Identifier: LGPL-2.1-or-later
// The same with Go's goroutines.

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

var kept uint32
var loops int

func work() {
	x := uint32(1)
	for i := 0; i < loops; i++ {
		x = x*1664525 + 1013904223
	}
	if x == 0 {
		kept = x
	}
}

func handOver(n int) {
	for i := 0; i < n; i++ {
		done := make(chan struct{})
		go func() {
			work()
			close(done)
		}()
		<-done
	}
}

func spread(n int) {
	var all sync.WaitGroup
	all.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			work()
			all.Done()
		}()
	}
	all.Wait()
}

func answer(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		if line != "\r\n" {
			continue
		}
		work()
		if _, err := io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"); err != nil {
			return
		}
	}
}

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(connection)
		}
	}()
	os.Stdin.Read(make([]byte, 1))
}

func printClocks() {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	processor := usage.Utime.Nano() + usage.Stime.Nano()
	fmt.Println(processor, time.Now().UnixNano())
}

func main() {
	if len(os.Args) < 3 {
		fmt.Println("hand-over\nspread\nserve")
		return
	}
	n, _ := strconv.Atoi(os.Args[2])
	threads := 1
	if len(os.Args) > 3 {
		threads, _ = strconv.Atoi(os.Args[3])
	}
	if len(os.Args) > 4 {
		loops, _ = strconv.Atoi(os.Args[4])
	}
	runtime.GOMAXPROCS(threads)
	printClocks()
	switch os.Args[1] {
	case "hand-over":
		handOver(n)
	case "spread":
		spread(n)
	case "serve":
		serve()
	}
	printClocks()
}
